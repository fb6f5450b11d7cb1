"""Reads of one object: true at one moment between the request and the answer, and never older than was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import msgspec

from service.domain import served
from service.domain.image import ImageState
from service.domain.imagestream import Tag
from service.domain.world import Collection, State
from tests.faults.complaint import Complaint
from tests.faults.floors import Floors
from tests.faults.history import Get, History
from tests.faults.lines import Line, digest_of
from tests.faults.truth import REGISTRY, Truth


def check_gets(truth: Truth, history: History, floors: Floors) -> Iterator[Complaint]:
    for get in history.gets:
        first, last = floors.of(get), floors.latest(get.ended)
        if get.shown is None:
            if not _was_absent(truth, get, first, last):
                what = f"{_told(get)} was answered 404; it was there all the time from {first} to {last}"
                yield Complaint("a read sees what was acknowledged before it", what, (first,))
            continue
        yield from _check_shown(truth, get, get.shown, first, last)


def _check_shown(truth: Truth, get: Get, line: Line, first: int, last: int) -> Iterator[Complaint]:
    changes = truth.changes_of(get.collection, get.key)
    index = next((i for i, change in enumerate(changes) if change.position == line.version), None)
    state = changes[index].new if index is not None else None
    if index is None or state is None:
        yield Complaint(
            "a read tells what was", f"{_told(get)} shows a version that never was: {line}", (line.version,), (line,)
        )
        return
    if index + 1 < len(changes) and changes[index + 1].position <= first:
        what = f"{_told(get)} shows {line.version}; {changes[index + 1].position} came after it, and {first} was known"
        yield Complaint(
            "a read sees what was acknowledged before it", what, (changes[index + 1].position, first), (line,)
        )
    if line.version > last:
        what = f"{_told(get)} shows {line.version}, which was recorded after the answer"
        yield Complaint("a read does not see the future", what, (line.version,), (line,))
    if line.digest not in _digests(truth, get, state, first, last) or not texts_agree(line, state):
        yield Complaint(
            "a read tells what was", f"{_told(get)} is not the object at {line.version}", (line.version,), (line,)
        )


def texts_agree(line: Line, state: State) -> bool:
    """Whether an image's manifest and config, where they are told, are those that were recorded."""
    if not isinstance(state, ImageState):
        return True
    return all(
        told in ("", recorded) for told, recorded in zip(line.texts, (state.manifest, state.config), strict=True)
    )


def _was_absent(truth: Truth, get: Get, first: int, last: int) -> bool:
    states = truth.states_between(get.collection, get.key, first, last)
    if None in states:
        return True
    if get.collection is not Collection.IMAGE_STREAM_TAGS:
        return False
    # An ImageStreamTag is not shown without its image.
    images = [state.head.image for state in states if isinstance(state, Tag) and state.head]
    return any(None in truth.states_between(Collection.IMAGES, ("", image), first, last) for image in images)


def _digests(truth: Truth, get: Get, state: State, first: int, last: int) -> set[bytes]:
    """Every form the object may have had: a tag is shown with its image and its stream's generation, which have a life
    of their own.
    """
    if not isinstance(state, Tag):
        return {truth.digest(get.collection, state, state.changed)}
    image_name = state.head.image if state.head else ""
    images = truth.states_between(Collection.IMAGES, ("", image_name), first, last) if image_name else [None]
    make = served.imagetag if get.collection is Collection.IMAGE_TAGS else served.imagestreamtag
    found = set()
    for form, image in product(truth.forms(state, first, last), images):
        if isinstance(form, Tag):
            obj = make(form, image.decode() if isinstance(image, ImageState) else None, REGISTRY)
            found.add(digest_of(msgspec.json.decode(msgspec.json.encode(obj))))
    return found


def _told(get: Get) -> str:
    return f"GET {get.collection.value} {'/'.join(get.key)}"
