"""Clients that are slow, gone, or do not read: they hurt nobody else, and nothing that was promised to them is lost."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from contextlib import AsyncExitStack

from tests.acceptance.api import GROUP, Api, Document, Entrance, imagestream
from tests.acceptance.quiet import Quiet
from tests.acceptance.wire import Wire, request_of, status_of, wire_to
from tests.acceptance.workers import each_worker

ROUNDS = 40
NOTE_BYTES = 240_000
"""All rounds together are more than what a connection holds for a client that does not read."""
PARKINGS = re.compile(rb"^taghistory_watch_parkings_total (\S+)$", re.MULTILINE)


def half_a_create(quiet: Quiet, *, more: bytes = b"") -> tuple[bytes, bytes]:
    """A valid create, in two parts."""
    body = json.dumps(imagestream("late")).encode()
    length = b"Content-Length: %d" % len(body)
    head = request_of(quiet.entrance, "POST", f"{GROUP}/{quiet.streams}{more.decode()}", length)
    return head + body[:20], body[20:]


async def test_a_body_that_never_ends(quiet: Quiet) -> None:
    """The time limit of a request is also that of its body, however steadily it drips."""
    start, _ = half_a_create(quiet, more=b"?timeout=500ms")
    async with wire_to(quiet.entrance) as wire:
        await wire.send(start)
        answer = asyncio.ensure_future(wire.receive_until(b"\r\n\r\n"))
        done, _ = await asyncio.wait([answer], timeout=30)
        assert done, "no answer"
    assert status_of(await answer) == 504


async def test_a_client_that_leaves_in_the_middle(quiet: Quiet) -> None:
    """Gone while its head or its body is read: there was no request."""
    start, _ = half_a_create(quiet)
    for part in (b"", b"GET /apis HTTP/1.1\r\nHo", start[:-20], start):
        async with wire_to(quiet.entrance) as wire:
            await wire.send(part)


async def test_a_client_that_says_it_is_done(quiet: Quiet) -> None:
    """It closes its side in the middle of a body: the connection ends, and nothing was created."""
    start, _ = half_a_create(quiet)
    async with wire_to(quiet.entrance) as wire:
        await wire.send(start)
        wire.half_close()
        assert status_of(await wire.receive_all()) in (0, 400)
    (await quiet.api.get(f"{quiet.streams}/late")).refused(404, "NotFound")


async def test_many_that_wait(quiet: Quiet) -> None:
    """Two hundred connections that are silent, or in the middle of something, are in nobody's way."""
    start, rest = half_a_create(quiet)
    async with AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(wire_to(quiet.entrance)) for _ in range(200)]
        for wire, data in zip(wires, itertools.cycle((b"", b"GET /apis HTT", start)), strict=False):
            await wire.send(data)
        for _ in range(20):
            (await quiet.api.get(f"{quiet.streams}/web")).ok()
        # The one of them that goes on is served.
        await wires[2].send(rest)
        assert status_of(await wires[2].receive_until(b"\r\n\r\n")) == 201
    await quiet.appended()


async def test_more_at_once_than_one_connection_is_worth(quiet: Quiet) -> None:
    """Hundreds of requests behind each other, without waiting for an answer: all are answered, in order."""
    request = request_of(quiet.entrance, "GET", f"{GROUP}/{quiet.streams}/web")
    last = request_of(quiet.entrance, "GET", f"{GROUP}/{quiet.streams}/nosuch", b"Connection: close")
    async with wire_to(quiet.entrance) as wire:
        sending = asyncio.ensure_future(wire.send(request * 300 + last))
        answers = await wire.receive_all()
        await sending
    assert answers.count(b"HTTP/1.1 200 OK\r\n") == 300
    assert answers.count(b"HTTP/1.1 404 Not Found\r\n") == 1


class RawWatch:
    """A watch of which nothing is read before it is asked for."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._received = b""

    async def next(self) -> Document:
        """The next event. Chunks are one event each, and their lengths stand on lines of their own."""
        while True:
            line, newline, rest = self._received.partition(b"\n")
            if newline:
                self._received = rest
                if line.startswith(b"{"):
                    event: Document = json.loads(line)
                    return event
            else:
                part = await self._wire.receive()
                assert part, "the watch has ended"
                self._received += part


async def parkings(workers: list[Api]) -> float:
    """How often any watch was parked, at all API processes together."""
    bodies = [(await worker.request("GET", "/metrics")).body for worker in workers]
    return sum(float(PARKINGS.findall(body)[0]) for body in bodies)


async def test_a_watcher_that_never_reads(entrance: Entrance, api: Api, workers: list[Api], namespace: str) -> None:
    """It is parked: others get their events as they happen, and when it reads at last, it gets all of them."""
    streams = f"namespaces/{namespace}/imagestreams"
    version = (await api.create(streams, imagestream("web"))).ok()["metadata"]["resourceVersion"]
    watch = request_of(entrance, "GET", f"{GROUP}/{streams}?watch=1&resourceVersion={version}")
    parked_before = await parkings(workers)
    async with AsyncExitStack() as stack:
        idle = [await stack.enter_async_context(wire_to(entrance, receive_buffer_bytes=4096)) for _ in range(4)]
        for wire in idle:
            await wire.send(watch)
        # Of their own, since a watch keeps its connection, and the next request of its client may go anywhere.
        watching = await stack.enter_async_context(each_worker(entrance))
        reading = [
            await stack.enter_async_context(worker.watch(streams, resourceVersion=version)) for worker in watching
        ]
        versions = []
        for number in range(ROUNDS):
            note = f"{number:02}" * (NOTE_BYTES // 2)
            patch = {"metadata": {"annotations": {"note": note}}}
            versions.append((await api.patch(f"{streams}/web", patch)).ok()["metadata"]["resourceVersion"])
            for events in reading:
                assert (await anext(events))["object"]["metadata"]["resourceVersion"] == versions[-1]
        assert await parkings(workers) > parked_before
        for wire in idle:
            late = RawWatch(wire)
            for number, expected in enumerate(versions):
                metadata = (await late.next())["object"]["metadata"]
                assert metadata["resourceVersion"] == expected
                assert metadata["annotations"]["note"].startswith(f"{number:02}")
        (await api.delete(f"{streams}/web")).ok()
        assert (await late.next())["type"] == "DELETED"


async def test_a_reader_of_a_long_list_that_stops(entrance: Entrance, api: Api, namespace: str) -> None:
    """It reads the beginning of an answer and leaves; or never reads, while others are served."""
    streams = f"namespaces/{namespace}/imagestreams"
    for number in range(8):
        body = imagestream(f"s{number}")
        body["metadata"]["annotations"] = {"note": "x" * NOTE_BYTES}
        (await api.create(streams, body)).ok()
    async with AsyncExitStack() as stack:
        for _ in range(8):
            wire = await stack.enter_async_context(wire_to(entrance, receive_buffer_bytes=4096))
            await wire.send(request_of(entrance, "GET", f"{GROUP}/{streams}"))
        for _ in range(4):
            assert len((await api.get(streams)).ok()["items"]) == 8
        assert status_of(await wire.receive_until(b"\r\n\r\n")) == 200
    assert len((await api.get(streams)).ok()["items"]) == 8
