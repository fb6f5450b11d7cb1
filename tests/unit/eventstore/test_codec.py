"""Events outlive the code that wrote them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from service.api.json_types import JsonObject
from service.eventstore.codec import Codec, UndecodableEvent
from tests.unit.eventstore.samples import decode_samples, recorded


class Moved(msgspec.Struct, frozen=True):
    """Version 3. Version 1 had `to`, version 2 called it `target`."""

    target: str
    times: int


class Gone(msgspec.Struct, frozen=True):
    pass


def call_it_target(document: JsonObject) -> JsonObject:
    return {"target": document["to"]}


def count_it(document: JsonObject) -> JsonObject:
    return {**document, "times": 1}


TYPES: dict[str, type[Moved | Gone]] = {"Moved": Moved, "Gone": Gone}
CODEC: Codec[Moved | Gone] = Codec(TYPES, {"Moved": [call_it_target, count_it]})


def test_an_event_is_stored_under_its_stable_name_and_current_version() -> None:
    assert CODEC.encode(Moved("a", 2)) == ("Moved", 3, b'{"target":"a","times":2}')
    assert CODEC.encode(Gone()) == ("Gone", 1, b"{}")


@pytest.mark.parametrize(
    ("version", "data"),
    [(1, b'{"to":"a"}'), (2, b'{"target":"a"}'), (3, b'{"target":"a","times":1}')],
)
def test_every_version_becomes_the_current_shape(version: int, data: bytes) -> None:
    assert CODEC.decode(recorded("Moved", version, data)) == Moved("a", 1)


@pytest.mark.parametrize(
    ("name", "version", "data", "why"),
    [
        ("Unheard", 1, b"{}", "does not know the type"),
        ("Moved", 4, b"{}", "knows versions up to 3"),
        ("Moved", 0, b"{}", "knows versions up to 3"),
        ("Moved", 3, b'{"target":1}', "does not fit"),
        ("Moved", 3, b"{", "does not fit"),
        ("Moved", 1, b'{"from":"a"}', "does not fit"),
    ],
)
def test_what_cannot_be_read_stops_the_reader(name: str, version: int, data: bytes, why: str) -> None:
    with pytest.raises(UndecodableEvent, match=why) as error:
        CODEC.decode(recorded(name, version, data))
    assert error.value.position == 7


def test_the_registry_must_make_sense() -> None:
    with pytest.raises(ValueError, match="not there: Went"):
        Codec(TYPES, {"Went": [count_it]})
    with pytest.raises(ValueError, match="share one struct"):
        Codec({"Moved": Moved, "Walked": Moved})


def test_every_version_needs_a_sample(tmp_path: Path) -> None:
    for file, content in {
        "Moved.v1.json": '{"to":"a"}\n',
        "Moved.v2.json": '{"target":"b"}\n',
        "Gone.v1.json": "{}\n",
    }.items():
        (tmp_path / file).write_text(content)
    with pytest.raises(AssertionError, match=r"no sample of \['Moved.v3.json'\]"):
        decode_samples(CODEC, tmp_path)
    (tmp_path / "Moved.v3.json").write_text('{"target":"c","times":5}')
    assert decode_samples(CODEC, tmp_path) == {
        "Moved.v1.json": Moved("a", 1),
        "Moved.v2.json": Moved("b", 1),
        "Moved.v3.json": Moved("c", 5),
        "Gone.v1.json": Gone(),
    }
    (tmp_path / "Moved.v4.json").write_text("{}")
    with pytest.raises(AssertionError, match="no longer readable"):
        decode_samples(CODEC, tmp_path)
