from __future__ import annotations

import asyncio
from random import Random

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from service.domain.errors import FuturePosition, Unavailable
from service.domain.world import Collection, Happened
from service.watch.cache import Cache, GapError
from service.watch.scope import Key, Scope, key_of
from tests.unit.watch.checker import listed, version, wishes
from tests.unit.watch.chronicle import (
    DIGESTS,
    Chronicle,
    document,
    fold,
    image_registered,
    imaged,
    random_chronicle,
    stream_created,
)
from tests.unit.watch.room import Room, travel

WISHES = list(wishes())


def cache_of(chronicle: Chronicle, begin: int = 0) -> Cache:
    cache = Cache(chronicle, fold(chronicle, begin))
    for command in chronicle.commands:
        if command[0].position > cache.position:
            apply(cache, chronicle, command[0].position)
    return cache


def apply(cache: Cache, chronicle: Chronicle, first: int) -> None:
    command = next(c for c in chronicle.commands if c[0].position == first)
    world = fold(chronicle, first - 1)
    assert world.position in (0, first - 1)
    cache.apply([happened for happened in happenings(chronicle, command[0].position, command[-1].position)])


def happenings(chronicle: Chronicle, first: int, last: int) -> list[Happened]:
    from tests.unit.watch.chronicle import codec

    return [
        Happened(e.position, e.aggregate.kind, e.aggregate.namespace, e.aggregate.name, codec.decode(e))
        for e in chronicle.events[first - 1 : last]
    ]
