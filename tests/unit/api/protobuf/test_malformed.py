"""Bytes that make no sense are refused, in the words of Go; fields nobody knows are passed over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.api.decoding import DecodeError, inspect
from service.api.image_v1 import ImageStream
from service.api.protobuf.decoding import decode_message
from service.api.protobuf.envelope import MAGIC, unwrap
from service.api.protobuf.wire import delimited, tag, varint
from tests.unit.api.protobuf.vectors import vector

VALID = vector("ImageStream")


def read(body: bytes) -> None:
    inspect(decode_message("ImageStream", unwrap(body).raw), ImageStream)


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"", "empty data"),
        (b"garbage", "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"),
        (MAGIC, "empty body"),
        (MAGIC + b"garbage", "proto: illegal wireType 7"),
    ],
)
def test_a_body_that_is_no_envelope(body: bytes, refusal: str) -> None:
    with pytest.raises(DecodeError) as refused:
        unwrap(body)
    assert str(refused.value) == refusal


@pytest.mark.parametrize(
    ("message", "refusal"),
    [
        (b"\x08\x01", "proto: wrong wireType = 0 for field Metadata"),
        (b"\x0c", "proto: ImageStream: wiretype end group for non-group"),
        (b"\x02\x00", "proto: ImageStream: illegal tag 0 (wire type 2)"),
        (b"\x0a", "unexpected EOF"),
        (b"\x0a\x05ab", "unexpected EOF"),
        (b"\x0a" + b"\xff" * 9 + b"\x01", "proto: negative length found during unmarshaling"),
        (b"\xff" * 11, "proto: integer overflow"),
        (b"\x51\x00", "unexpected EOF"),
        (b"\x53\x0a\x00", "unexpected EOF"),
        (b"\x53\x07\x54", "proto: illegal wireType 7"),
        (b"\x12\x04\x12\x02\x1d\0", "proto: wrong wireType = 5 for field From"),
    ],
)
def test_bytes_that_are_no_message(message: bytes, refusal: str) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_message("ImageStream", message)
    assert str(refused.value) == refusal


@pytest.mark.parametrize(
    "unknown",
    [
        tag(99, 0) + varint(1 << 63),
        tag(99, 1) + b"12345678",
        delimited(tag(99, 2), b"anything"),
        tag(99, 3) + tag(1, 3) + tag(1, 4) + delimited(tag(2, 2), b"x") + tag(99, 4),
        tag(99, 5) + b"1234",
    ],
    ids=["varint", "fixed64", "delimited", "groups", "fixed32"],
)
def test_unknown_fields_are_passed_over(unknown: bytes) -> None:
    known = delimited(tag(1, 2), b"a")
    assert decode_message("ImageLayer", unknown + known + unknown) == {"name": "a"}


def test_what_comes_again_replaces_adds_or_merges() -> None:
    name, size = delimited(tag(1, 2), b"a"), tag(2, 0) + varint(7)
    assert decode_message("ImageLayer", name + size + delimited(tag(1, 2), b"b")) == {"name": "b", "size": 7}
    reference = tag(3, 2)
    merged = delimited(reference, delimited(tag(1, 2), b"k")) + delimited(reference, delimited(tag(3, 2), b"n"))
    assert decode_message("TagReference", merged) == {"from": {"kind": "k", "name": "n"}}
    entries = [delimited(tag(2, 2), delimited(tag(1, 2), b"k") + delimited(tag(2, 2), v)) for v in (b"1", b"2")]
    assert decode_message("TagReference", b"".join(entries)) == {"annotations": {"k": "2"}}


def test_an_entry_of_a_map_may_leave_out_what_is_empty() -> None:
    assert decode_message("TagReference", delimited(tag(2, 2), b"")) == {"annotations": {"": ""}}
    assert decode_message("ImageStreamLayers", delimited(tag(2, 2), b"")) == {"blobs": {"": {}}}
    assert decode_message("UserInfo", delimited(tag(4, 2), b"")) == {"extra": {"": []}}


def test_integers_are_cut_to_their_size() -> None:
    assert decode_message("Status", tag(6, 0) + varint((1 << 32) - 1)) == {"code": -1}
    assert decode_message("ImageLayer", tag(2, 0) + varint((1 << 64) - 1)) == {"size": -1}


def test_bytes_that_are_no_unicode_are_replaced_one_by_one() -> None:
    assert decode_message("ImageLayer", delimited(tag(1, 2), b"a\xe2\x82z")) == {"name": "a\ufffd\ufffdz"}


@given(st.binary(max_size=64))
def test_nothing_but_a_refusal_comes_of_any_bytes(content: bytes) -> None:
    for body in (content, MAGIC + content, MAGIC + delimited(tag(2, 2), content)):
        try:
            read(body)
        except DecodeError:
            continue


@given(st.integers(0, len(VALID) - 1), st.integers(0, 255), st.integers(0, len(VALID)))
def test_nothing_but_a_refusal_comes_of_a_damaged_body(at: int, byte: int, end: int) -> None:
    damaged = VALID[:at] + bytes([byte]) + VALID[at + 1 :]
    for body in (damaged, damaged[:end]):
        try:
            read(body)
        except DecodeError:
            continue
