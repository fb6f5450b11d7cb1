"""The views, by SELECTs: at any position they hold what a replay from position 1 holds, and all texts are there."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from random import Random
from typing import Any, Final

import asyncpg

from service.domain.world import World
from service.eventstore.database import open_pool
from service.reads.snapshot import Snapshots
from tests.faults.complaint import Complaint
from tests.faults.truth import Truth, happened

PAYLOADS: Final = "SELECT digest, content FROM payloads"


async def check_views(dsn: str, truth: Truth, random: Random, positions: int, when: str) -> AsyncIterator[Complaint]:
    """At the head, and at so many positions before it."""
    chosen = sorted({truth.head, *(random.randint(1, truth.head) for _ in range(positions))})
    async with open_pool(dsn, "faults", size_limit=1) as pool:
        snapshots = Snapshots(pool)
        checkpoint = await snapshots.checkpoint()
        if checkpoint != truth.head:
            yield Complaint("the views reach the head of the log", f"{when}: {checkpoint} of {truth.head}")
            return
        for position, replayed in _replays(truth, chosen):
            viewed = await snapshots.world_at(position, with_images=True, with_namespaces=True)
            for what in _differences(viewed, replayed):
                yield Complaint("views equal replay", f"{when}, at {position}: {what}", (position,))


async def check_texts(dsn: str, truth: Truth) -> AsyncIterator[Complaint]:
    """Manifests and configs that events name are stored, whole."""
    connection = await asyncpg.connect(dsn)
    try:
        stored = {
            digest: f"sha256:{hashlib.sha256(content).hexdigest()}"
            for digest, content in await connection.fetch(PAYLOADS)
        }
    finally:
        await connection.close()
    for name, image in truth.world.images.items():
        for digest in filter(None, (image.manifest, image.config)):
            if stored.get(digest) != digest:
                yield Complaint(
                    "an image is stored whole", f"{name}: {digest} is {stored.get(digest)}", (image.changed,)
                )


def _replays(truth: Truth, positions: Sequence[int]) -> list[tuple[int, World]]:
    """The fold of all whole commands up to each of the positions, in ascending order."""
    world, found = World(), []
    commands = iter(truth.commands)
    command = next(commands, None)
    for position in positions:
        while command is not None and command.last <= position:
            world.apply([happened(event) for event in command.events])
            command = next(commands, None)
        copy = World()
        copy.position, copy.streams = world.position, dict(world.streams)
        copy.images, copy.namespaces = dict(world.images), dict(world.namespaces)
        found.append((position, copy))
    return found


def _differences(viewed: World, replayed: World) -> list[str]:
    found = []
    if viewed.position != replayed.position:
        found.append(f"the last whole command ends at {replayed.position}, and not at {viewed.position}")
    found += _differing("streams", viewed.streams, replayed.streams)
    found += _differing("images", viewed.images, replayed.images)
    found += _differing("namespaces", viewed.namespaces, replayed.namespaces)
    return found


def _differing(name: str, viewed: dict[Any, Any], replayed: dict[Any, Any]) -> list[str]:
    wrong = sorted(key for key in viewed.keys() | replayed.keys() if viewed.get(key) != replayed.get(key))
    return [f"{len(wrong)} {name} differ, such as {wrong[0]}"] if wrong else []
