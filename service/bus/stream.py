"""The JetStream stream that carries the log: there, ours, and not beyond the log.

Keeps: the message with sequence n is the event at position n. A stream cannot prove that by itself, so it is compared
with the log whenever a relay takes it up: it names the log it was made for, it does not end after the log, and its last
message is the log's event at that position. A stream that fails is deleted, made again and filled from the log: NATS
is a carrier, and a wrong stream is worth nothing.
"""

from __future__ import annotations

from typing import Final

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import StorageType, StreamConfig, StreamInfo
from nats.js.errors import NotFoundError

from service.bus.envelope import EnvelopeCodec
from service.bus.subjects import ALL_SUBJECTS
from service.eventstore.reader import Reader
from service.runtime.logs import get_logger

STREAM: Final = "TAGHISTORY"
LOG_ID_KEY: Final = "taghistory-log-id"
REQUEST_TIMEOUT_S: Final = 5.0

log = get_logger("stream")


class LogStream:
    def __init__(self, reader: Reader, log_id: str, replicas: int) -> None:
        self._reader = reader
        self._log_id = log_id
        self._replicas = replicas
        self._envelopes = EnvelopeCodec(log_id)

    async def ensure(self, client: Client) -> int:
        """Make sure that the stream is there and ours. Returns the position up to which it holds the log.

        Raises NATS_ERRORS (`connection.py`), and Unavailable when the log cannot be read.
        """
        jetstream = client.jetstream(timeout=REQUEST_TIMEOUT_S)
        first = await self._reader.oldest() or 1
        try:
            info = await jetstream.stream_info(STREAM)
        except NotFoundError:
            return await self._create(jetstream, first)
        why = await self._objection(jetstream, info, first)
        if why is None:
            last: int = info.state.last_seq
            return last
        log.warning("the stream is not this log's, filling a new one", stream=STREAM, reason=why)
        await jetstream.delete_stream(STREAM)
        return await self._create(jetstream, first)

    async def _create(self, jetstream: JetStreamContext, first: int) -> int:
        config = StreamConfig(
            name=STREAM,
            description="The event log of tag-history; the sequence is the position.",
            subjects=[ALL_SUBJECTS],
            storage=StorageType.FILE,
            num_replicas=self._replicas,
            first_seq=first,
            allow_direct=True,
            metadata={LOG_ID_KEY: self._log_id},
        )
        info = await jetstream.add_stream(config)
        log.info("created the stream", stream=STREAM, first=first)
        last: int = info.state.last_seq
        return last

    async def _objection(self, jetstream: JetStreamContext, info: StreamInfo, first: int) -> str | None:
        """Why the stream cannot be this log's; None if it can."""
        last: int = info.state.last_seq
        if (info.config.metadata or {}).get(LOG_ID_KEY) != self._log_id:
            return "it was made for another log"
        if info.config.subjects != [ALL_SUBJECTS]:
            return "it has other subjects"
        if last < first - 1:
            return "the log no longer has what comes next in it"
        if not info.state.messages:
            return None if last == first - 1 else "it was emptied"
        return await self._disagreement(jetstream, last)

    async def _disagreement(self, jetstream: JetStreamContext, last: int) -> str | None:
        """Compare the last message with the log: one that was restored from a backup has other events from there on."""
        events = await self._reader.read_after(last - 1, limit=1)
        if not events or events[0].position != last:
            return "it ends after the log"
        try:
            message = await jetstream.get_msg(STREAM, seq=last)
        except NotFoundError:
            return "its last message is gone"
        in_stream = self._envelopes.command_id(message.data or b"")
        return None if in_stream == events[0].command_id else "it disagrees with the log"
