"""`Watch` of the official Python client: it loses its connection at any moment, resumes, and misses nothing."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import urllib3
from kubernetes import client, watch

from tests.acceptance.api import Document, Entrance, imagestream
from tests.acceptance.cable import Cable, cable_to
from tests.acceptance.python_client import GROUP, VERSION, connected
from tests.real_images import assortment

MOVES = 40
CUTS = 4
AHEAD = 5
"""How many moves may be on their way to the watcher: fewer than there are between two cuts."""
WATCH_TIMEOUT_S = 30
BROKEN = (urllib3.exceptions.HTTPError, OSError)


class Lists:
    """The three collections of one namespace, as functions that `Watch` calls."""

    def __init__(self, api_client: client.ApiClient, namespace: str) -> None:
        self.custom = client.CustomObjectsApi(api_client)
        self.namespace = namespace

    def __call__(self, plural: str) -> Callable[..., Any]:
        def listed(**options: Any) -> Any:
            return self.custom.list_namespaced_custom_object(GROUP, VERSION, self.namespace, plural, **options)

        # Watch looks for the type of what it receives in the documentation of the function.
        listed.__doc__ = self.custom.list_namespaced_custom_object.__doc__
        return listed

    def create(self, plural: str, body: Document) -> None:
        self.custom.create_namespaced_custom_object(GROUP, VERSION, self.namespace, plural, body)

    def version(self) -> str:
        version: str = self("imagestreams")()["metadata"]["resourceVersion"]
        return version


@pytest.fixture
def lists(entrance: Entrance, namespace: str) -> Iterator[Lists]:
    with connected(entrance) as api_client:
        yield Lists(api_client, namespace)


@pytest.fixture
def cable(entrance: Entrance) -> Iterator[Cable]:
    with cable_to(entrance.host, entrance.port) as cable:
        yield cable


def position(event: Document) -> int:
    return int(event["object"]["metadata"]["resourceVersion"])


def newest_image(event: Document) -> str:
    """What the first tag points at, in whichever collection."""
    found = event["object"]
    if found["kind"] == "ImageStreamTag":
        return str(found["image"]["metadata"]["name"])
    history = found["status"] if found["kind"] == "ImageTag" else found["status"]["tags"][0]
    return str(history["items"][0]["image"])


@pytest.mark.parametrize("plural", ["imagestreams", "imagestreamtags", "imagetags"])
def test_a_watch_survives_cuts(entrance: Entrance, lists: Lists, cable: Cable, plural: str) -> None:
    """Every move of the tag is seen exactly once and in order, however often the connection breaks between."""
    lists.create("imagestreams", imagestream("web"))
    known = assortment(lists.namespace, 5)
    for image in known:
        # A move to an image that is known is a single event, so the next move may have the very next position.
        lists.create("imagestreammappings", image.mapping("web", "other"))
    version = lists.version()
    moves = list(itertools.islice(itertools.cycle(known), MOVES))

    ahead = threading.Semaphore(AHEAD)

    def push() -> None:
        for image in moves:
            assert ahead.acquire(timeout=WATCH_TIMEOUT_S)
            lists.create("imagestreammappings", image.mapping("web", "a"))

    events: list[Document] = []
    breaks = 0
    cuts = itertools.chain(range(1, MOVES, MOVES // CUTS), [MOVES + 1])
    next_cut = next(cuts)
    with ThreadPoolExecutor(1) as pool, connected(entrance, port=cable.port) as api_client:
        pushing = pool.submit(push)
        watched = Lists(api_client, lists.namespace)(plural)
        while len(events) < MOVES:
            resumed = watch.Watch()
            try:
                for event in resumed.stream(watched, resource_version=version, timeout_seconds=WATCH_TIMEOUT_S):
                    assert newest_image(event) == moves[len(events)].digest
                    events.append(event)
                    ahead.release()
                    version = event["object"]["metadata"]["resourceVersion"]
                    if len(events) == MOVES:
                        resumed.stop()
                    elif len(events) >= next_cut:
                        next_cut = next(cuts)
                        cable.cut()
            except BROKEN:
                breaks += 1
            if pushing.done():
                pushing.result()
    assert breaks >= CUTS
    positions = [position(event) for event in events]
    assert positions == sorted(set(positions))


@pytest.mark.parametrize("plural", ["imagestreams", "imagestreamtags", "imagetags"])
def test_a_watch_from_long_ago(lists: Lists, plural: str) -> None:
    """A resourceVersion never becomes too old: the whole history is there to be told again, and then what is new."""
    lists.create("imagestreams", imagestream("web"))
    version = lists.version()
    images = assortment(lists.namespace, 12)
    for image in images[:-1]:
        lists.create("imagestreammappings", image.mapping("web", "v1"))
    seen = []
    watching = watch.Watch()
    for event in watching.stream(lists(plural), resource_version=version, timeout_seconds=WATCH_TIMEOUT_S):
        seen.append(newest_image(event))
        if len(seen) == len(images) - 1:
            lists.create("imagestreammappings", images[-1].mapping("web", "v1"))
        elif len(seen) == len(images):
            watching.stop()
    assert seen == [image.digest for image in images]


def test_a_watch_begins_with_what_there_is(lists: Lists) -> None:
    lists.create("imagestreams", imagestream("a"))
    lists.create("imagestreams", imagestream("b"))
    watching = watch.Watch()
    seen = []
    for event in watching.stream(lists("imagestreams"), timeout_seconds=WATCH_TIMEOUT_S):
        seen.append((event["type"], event["object"]["metadata"]["name"]))
        if len(seen) == 2:
            where = (GROUP, VERSION, lists.namespace, "imagestreams")
            lists.custom.delete_namespaced_custom_object(*where, "a")
        elif len(seen) == 3:
            watching.stop()
    assert seen == [("ADDED", "a"), ("ADDED", "b"), ("DELETED", "a")]


def test_a_watch_with_a_selector(lists: Lists) -> None:
    """An object that begins or ceases to match is added or deleted for this watcher."""
    version = lists.version() if not lists.create("imagestreams", imagestream("web")) else ""
    where = (GROUP, VERSION, lists.namespace, "imagestreams", "web")
    for value in ("front", "back", "front", None):
        lists.custom.patch_namespaced_custom_object(*where, {"metadata": {"labels": {"tier": value}}})
    watching = watch.Watch()
    seen = []
    options = {"resource_version": version, "label_selector": "tier=front", "timeout_seconds": WATCH_TIMEOUT_S}
    for event in watching.stream(lists("imagestreams"), **options):
        seen.append(event["type"])
        if len(seen) == 4:
            watching.stop()
    assert seen == ["ADDED", "DELETED", "ADDED", "DELETED"]


def test_a_watch_ends_in_time(lists: Lists) -> None:
    """An idle watch ends by itself, without an error, and its bookmarks carry a position to go on from."""
    version = lists.version()
    watching = watch.Watch()
    options = {"resource_version": version, "allow_watch_bookmarks": True, "timeout_seconds": 1}
    events = list(watching.stream(lists("imagestreams"), **options))
    assert [event["type"] for event in events] in ([], ["BOOKMARK"])
    assert all(position(event) >= int(version) for event in events)
