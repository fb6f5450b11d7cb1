"""Base64 is read as Go reads it, and written canonically."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.api.base64_text import InvalidBase64, normalise_base64


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("!!", 0),
        ("AQI", 3 - 3),
        ("AQIDBA", 6 - 2),
        ("A===", 1),
        ("AQ=", 3),
        ("AQ=x", 2),
        ("AQI=AQI=", 4),
        ("AQ==\nx", 5),
        ("A\nQ", 3 - 2),
        ("AQéD", 2),
        ("=", 0),
    ],
)
def test_the_offset_of_a_refusal_is_gos(text: str, offset: int) -> None:
    with pytest.raises(InvalidBase64, match=f"^illegal base64 data at input byte {offset}$"):
        normalise_base64(text)


def test_line_breaks_and_stray_bits_do_not_survive() -> None:
    assert normalise_base64("A\r\nQI\n=") == "AQI="
    assert normalise_base64("QR==") == "QQ=="


@given(st.binary())
def test_every_content_survives(content: bytes) -> None:
    text = base64.b64encode(content).decode()
    assert normalise_base64(text) == text


@given(st.text(alphabet="AZaz09+/=\n \r!é"))
def test_nothing_but_a_refusal_comes_of_any_text(text: str) -> None:
    try:
        normalised = normalise_base64(text)
    except InvalidBase64:
        return
    assert normalise_base64(normalised) == normalised
