"""Every field that travels is described, and nothing else."""

from __future__ import annotations

import msgspec

from service.api import authentication_v1, authorization_v1, core_v1, image_v1, meta_v1
from service.api.descriptions import DESCRIPTIONS, description
from service.api.image_descriptions import STRUCT

MODULES = (authentication_v1, authorization_v1, core_v1, image_v1, meta_v1)


def wire_types() -> set[type[msgspec.Struct]]:
    """Those that are not only there to be inherited from."""
    everything = [value for module in MODULES for value in vars(module).values()]
    structs = {value for value in everything if isinstance(value, type) and issubclass(value, msgspec.Struct)}
    return {struct for struct in structs if not struct.__subclasses__()}


FIELDS = {(struct.__name__, field.encode_name) for struct in wire_types() for field in msgspec.structs.fields(struct)}


def test_every_type_and_every_field_has_a_sentence() -> None:
    places = FIELDS | {(struct.__name__, STRUCT) for struct in wire_types()}
    assert [place for place in sorted(places) if not description(*place)] == []


def test_no_sentence_outlives_its_field() -> None:
    assert {place for place in DESCRIPTIONS if place[1] != STRUCT} <= FIELDS
    assert {name for name, field in DESCRIPTIONS if field == STRUCT} == {struct.__name__ for struct in wire_types()}
