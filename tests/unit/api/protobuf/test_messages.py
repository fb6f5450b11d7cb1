"""The messages are those of the *.proto files, and say the same as the Structs of the API."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
import pytest

from service.api import authentication_v1, authorization_v1, core_v1, image_v1, meta_v1
from service.api.meta_v1 import ApiObject, Wire
from service.api.protobuf.generate import MODULE, module_text
from service.api.protobuf.messages import MESSAGES
from service.api.protobuf.schema import Field

OF_OBJECTS = {"kind", "apiVersion"}
"""They travel in the envelope, not in the message."""
NOTHING_IS_SOMETHING = {"Time", "RawExtension", "bytes"}
"""Types that a document may lack though they are no pointers: the zero time, no object, no bytes."""


def structs() -> Iterator[type[Wire]]:
    for module in (authentication_v1, authorization_v1, core_v1, image_v1, meta_v1):
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Wire) and value not in (Wire, ApiObject):
                yield value


def flat(message: str) -> Iterator[Field]:
    for field in MESSAGES[message]:
        if field.inline:
            yield from flat(field.type)
        else:
            yield field


def may_be_none(annotation: Any) -> bool:
    if get_origin(annotation) is Annotated:
        return may_be_none(annotation.__origin__)
    return get_origin(annotation) in (Union, types.UnionType) and type(None) in get_args(annotation)


def test_the_module_is_what_the_files_say() -> None:
    assert MODULE.read_text() == module_text(), "run `make generate`"


@pytest.mark.parametrize("struct", [*dict.fromkeys(structs())], ids=lambda struct: struct.__name__)
def test_a_struct_and_its_message_have_the_same_fields(struct: type[Wire]) -> None:
    fields = {info.encode_name: info for info in msgspec.structs.fields(struct)}
    message = {field.name: field for field in flat(struct.__name__)}
    assert message.keys() == fields.keys() - (OF_OBJECTS - message.keys())
    for name, field in message.items():
        if field.repeated or field.map or field.type in NOTHING_IS_SOMETHING:
            continue
        assert field.pointer == may_be_none(fields[name].type), name


def test_all_lists_have_the_same_numbers() -> None:
    lists = [
        fields for name, fields in MESSAGES.items() if name.endswith("List") and not name.startswith(("API", "Named"))
    ]
    assert {tuple((field.number, field.name) for field in fields) for fields in lists} == {
        ((1, "metadata"), (2, "items"))
    }
