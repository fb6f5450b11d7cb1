"""The schema is read off the structs: their wire names, their marks, their zero values."""

from __future__ import annotations

import datetime

import msgspec
import pytest

from service.api import image_v1, meta_v1
from service.merge.schema import BOOLEAN, FREE_FORM, NUMERIC, STRING, ListType, MapType, StructType, schema_of
from tests.unit.merge.kinds import SCHEMA


def field(path: str) -> object:
    schema: object = SCHEMA
    for name in path.split("."):
        schema = schema.element if isinstance(schema, ListType) else schema
        assert isinstance(schema, StructType)
        schema = schema.fields[name]
    return schema


def test_scalars_are_strings_numbers_or_booleans() -> None:
    assert field("spec.repository") == STRING
    assert field("metadata.creationTimestamp") == STRING
    assert field("spec.tags.generation") == NUMERIC
    assert field("spec.weight") == NUMERIC
    assert field("spec.lookupPolicy.local") == BOOLEAN


def test_fields_have_the_names_of_the_wire() -> None:
    assert {"lookupPolicy", "tags"} <= set(SCHEMA.fields["spec"].fields)  # type: ignore[union-attr]
    assert field("spec.tags.from") is not None


def test_marks_choose_how_lists_merge() -> None:
    tags, items, finalizers = field("spec.tags"), field("spec.items"), field("metadata.finalizers")
    assert isinstance(tags, ListType) and (tags.strategy, tags.key, tags.key_default) == ("map", "name", "")
    assert items == ListType(STRING)
    assert finalizers == ListType(STRING, "set")


def test_a_key_has_a_default_only_if_the_element_always_writes_it() -> None:
    signatures = field("spec.signatures")
    assert isinstance(signatures, ListType) and signatures.key_default is None


def test_dicts_are_granular_maps_unless_marked_atomic() -> None:
    assert field("metadata.labels") == MapType(STRING)
    assert field("spec.limits") == MapType(MapType(NUMERIC))
    assert field("spec.rest") == FREE_FORM


def test_an_atomic_struct_still_knows_its_fields() -> None:
    reference = field("spec.tags.from")
    assert isinstance(reference, StructType) and reference.atomic and set(reference.fields) == {"kind", "name"}


def test_the_zero_value_holds_what_is_always_written() -> None:
    assert SCHEMA.zero == {"metadata": {}, "spec": {"lookupPolicy": {"local": False}}}


def test_every_kind_of_the_api_has_a_schema() -> None:
    structs = [
        value
        for module in (image_v1, meta_v1)
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, msgspec.Struct)
    ]
    assert len(structs) > 30
    for struct in structs:
        assert schema_of(struct).name == struct.__name__


class Timed(msgspec.Struct):
    at: datetime.datetime | None = None


class Either(msgspec.Struct):
    size: int | str = 0


@pytest.mark.parametrize("struct", [Timed, Either])
def test_a_type_that_means_nothing_here_is_refused(struct: type[msgspec.Struct]) -> None:
    with pytest.raises(TypeError, match="no merge schema"):
        schema_of(struct)
