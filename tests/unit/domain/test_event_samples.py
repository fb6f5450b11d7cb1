"""Events outlive the code: a stored sample of every version ever written still decodes, and says what it said."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from service.domain.events import EVENT_TYPES
from service.eventstore.codec import Codec
from tests.unit.eventstore.samples import decode_samples

SAMPLES = Path(__file__).parents[2] / "samples" / "events"
CODEC = Codec(EVENT_TYPES)
EVENTS = decode_samples(CODEC, SAMPLES)


CURRENT = {f"{name}.v{version}.json" for name, version, _ in map(CODEC.encode, EVENTS.values())}


@pytest.mark.parametrize("file", sorted(CURRENT))
def test_a_sample_of_the_current_version_keeps_all_that_it_says(file: str) -> None:
    _, _, data = CODEC.encode(EVENTS[file])
    assert msgspec.json.decode(data) == json.loads((SAMPLES / file).read_bytes())
