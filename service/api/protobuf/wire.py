"""The wire format of protobuf: tags, varints, lengths, and what stands between them that nobody here knows.

Keeps: malformed bytes raise MalformedMessage and nothing else, with the words of Go's generated code; unknown fields
are passed over, groups too; no byte is looked at twice, and nothing nests.
Elsewhere: what the fields mean (`encoding.py`, `decoding.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol, TypeVar

from service.api.json_parsing import DecodeError

VARINT, FIXED64, DELIMITED, START_GROUP, END_GROUP, FIXED32 = range(6)
_UINT64_MASK = (1 << 64) - 1
_ONE_BYTE = tuple(bytes([value]) for value in range(0x80))


class MalformedMessage(DecodeError):
    """The bytes are no protobuf message, or not of this type; the message is Go's."""


class Expected(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def wire_type(self) -> int: ...


T = TypeVar("T", bound=Expected)


def key_of(number: int, wire_type: int) -> int:
    """What stands before a field."""
    return number << 3 | wire_type


def tag(number: int, wire_type: int) -> bytes:
    return varint(key_of(number, wire_type))


def varint(value: int) -> bytes:
    """Of any integer of 64 bits; a negative one as its two's complement."""
    if 0 <= value < 0x80:
        return _ONE_BYTE[value]
    rest = value & _UINT64_MASK
    groups = bytearray()
    while rest >= 0x80:
        groups.append(rest & 0x7F | 0x80)
        rest >>= 7
    groups.append(rest)
    return bytes(groups)


def delimited(before: bytes, content: bytes) -> bytes:
    """A field of bytes, a string or a message; `before` is its tag."""
    size = len(content)
    return before + (_ONE_BYTE[size] if size < 0x80 else varint(size)) + content


def signed(value: int, bits: int) -> int:
    """The integer that the last `bits` bits are the two's complement of."""
    low = value & ((1 << bits) - 1)
    return low - (1 << bits) if low >> (bits - 1) else low


def read_fields(data: bytes, fields: Mapping[int, T], message: str) -> Iterator[tuple[T, int | bytes]]:
    """The known fields as they come, with an integer or the content. `fields` are named by their keys.

    Raises MalformedMessage.
    """
    at, end = 0, len(data)
    while at < end:
        start = at
        key, at = _read_varint(data, at)
        field = fields.get(key)
        if field is None:
            _check_key(key, fields, message)
            at = _skip(data, start)
        elif field.wire_type == VARINT:
            value, at = _read_varint(data, at)
            yield field, value
        else:
            begin, at = _content(data, at)
            yield field, data[begin:at]


def _check_key(key: int, fields: Mapping[int, T], message: str) -> None:
    """Raise MalformedMessage for a key that cannot be, or is a known field's in the wrong wire type."""
    number, wire_type = signed(key >> 3, 32), key & 7
    if wire_type == END_GROUP:
        raise MalformedMessage(f"proto: {message}: wiretype end group for non-group")
    if number <= 0:
        raise MalformedMessage(f"proto: {message}: illegal tag {number} (wire type {key})")
    field = fields.get(key_of(number, DELIMITED)) or fields.get(key_of(number, VARINT))
    if field is not None:
        name = field.name[:1].upper() + field.name[1:]
        raise MalformedMessage(f"proto: wrong wireType = {wire_type} for field {name}")


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The value, and where the next byte is."""
    if at < len(data) and data[at] < 0x80:
        return data[at], at + 1
    value = 0
    for shift in range(0, 64, 7):
        if at >= len(data):
            raise MalformedMessage("unexpected EOF")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & _UINT64_MASK, at
    raise MalformedMessage("proto: integer overflow")


def _content(data: bytes, at: int) -> tuple[int, int]:
    """Where the content begins whose length is here, and where it ends."""
    length, at = _read_varint(data, at)
    if at + length <= len(data):
        return at, at + length
    negative = signed(length, 64) < 0
    raise MalformedMessage("proto: negative length found during unmarshaling" if negative else "unexpected EOF")


def _skip(data: bytes, at: int) -> int:
    """Where the field ends that begins here; a group ends where its last field does."""
    depth = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        match key & 7:
            case 0:
                _, at = _read_varint(data, at)
            case 1:
                at += 8
            case 2:
                _, at = _content(data, at)
            case 3:
                depth += 1
            case 4 if depth == 0:
                raise MalformedMessage("proto: unexpected end of group")
            case 4:
                depth -= 1
            case 5:
                at += 4
            case unknown:
                raise MalformedMessage(f"proto: illegal wireType {unknown}")
        if depth == 0 and at <= len(data):
            return at
    raise MalformedMessage("unexpected EOF")
