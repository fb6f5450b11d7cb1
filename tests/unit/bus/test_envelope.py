"""Envelopes: a valid CloudEvent, from which a recorded event comes back byte for byte."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import msgspec
from asyncpg.pgproto.pgproto import UUID as DriverUUID
from hypothesis import given
from hypothesis import strategies as st

from service.bus.envelope import EnvelopeCodec
from service.eventstore.records import Aggregate, RecordedEvent
from tests.unit.eventstore.samples import recorded

LOG_ID = "0d3f4c6e-7f3b-4b1e-9d55-0a6b1c2d3e4f"
NO_LIMIT = 1 << 30
ENVELOPES = EnvelopeCodec(LOG_ID)

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
positions = st.integers(1, 2**63 - 1)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner)
)
json_texts = st.builds(
    lambda document, indent, ascii_only: json.dumps(document, indent=indent, ensure_ascii=ascii_only).encode(),
    documents,
    st.sampled_from([None, 1]),
    st.booleans(),
)
events = st.builds(
    RecordedEvent,
    position=positions,
    command_id=st.uuids(),
    command_first=positions,
    command_last=positions,
    type=texts,
    schema_version=st.integers(1, 32_767),
    aggregate=st.builds(Aggregate, texts, texts, texts),
    tag=st.none() | texts,
    recorded_at=st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC)),
    metadata=json_texts,
    data=json_texts,
)


@given(events)
def test_what_comes_out_is_what_went_in(event: RecordedEvent) -> None:
    assert ENVELOPES.decode(ENVELOPES.encode(event, limit_bytes=NO_LIMIT)) == event


@given(events)
def test_it_is_a_cloud_event(event: RecordedEvent) -> None:
    envelope = json.loads(ENVELOPES.encode(event, limit_bytes=NO_LIMIT))
    assert envelope["specversion"] == "1.0"
    assert envelope["id"] == str(event.position)
    assert envelope["source"] == f"urn:uuid:{LOG_ID}"
    assert envelope["type"] == f"io.taghistory.{event.type}"
    assert envelope["datacontenttype"] == "application/json"
    assert envelope["data"] == json.loads(event.data)
    assert datetime.fromisoformat(envelope["time"]) == event.recorded_at
    for name, value in envelope.items():
        assert re.fullmatch("[a-z0-9]{1,20}", name)
        assert name == "data" or isinstance(value, str) or value in range(-(2**31), 2**31)


def test_the_drivers_own_uuids_are_as_good() -> None:
    event = recorded("TagImaged", 1, b"{}")
    from_driver = msgspec.structs.replace(event, command_id=DriverUUID(str(event.command_id)))
    assert ENVELOPES.decode(ENVELOPES.encode(from_driver, limit_bytes=NO_LIMIT)) == event


def test_an_event_that_is_too_large_leaves_its_data_in_the_log() -> None:
    event = recorded("TagImaged", 1, b'"%s"' % (b"x" * 2000))
    body = ENVELOPES.encode(event, limit_bytes=2000)
    assert len(body) < 1000
    assert json.loads(body)["dataref"] == "/events/7"
    assert ENVELOPES.decode(body) is None
    assert ENVELOPES.command_id(body) == event.command_id


def test_what_is_not_an_event_of_this_log_is_none() -> None:
    event = recorded("TagImaged", 1, b"{}")
    foreign = EnvelopeCodec("ffffffff-7f3b-4b1e-9d55-0a6b1c2d3e4f").encode(event, limit_bytes=NO_LIMIT)
    broken = ENVELOPES.encode(event, limit_bytes=NO_LIMIT).replace(b'"7"', b'"seven"')
    for body in (foreign, broken, b"", b"null", b"[]", b"\xff", b"{"):
        assert ENVELOPES.decode(body) is None
    assert ENVELOPES.command_id(foreign) is None
