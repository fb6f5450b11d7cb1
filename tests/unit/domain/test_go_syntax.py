"""Go's own reading of numbers and durations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain import go_syntax


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_every_int64_is_read(number: int) -> None:
    assert go_syntax.parse_int64(str(number)) == number


@pytest.mark.parametrize("text", ["", "abc", "1_000", " 1", "1.0", "٣", "0x10", "--1"])
def test_what_is_not_a_number(text: str) -> None:
    with pytest.raises(ValueError, match="invalid syntax"):
        go_syntax.parse_int64(text)


@pytest.mark.parametrize("text", [str(2**63), str(-(2**63) - 1), "9" * 9000])
def test_what_is_too_large_a_number(text: str) -> None:
    with pytest.raises(ValueError, match="value out of range"):
        go_syntax.parse_int64(text)


def test_an_unsigned_number_has_no_sign() -> None:
    assert go_syntax.parse_uint64("0007") == 7
    with pytest.raises(ValueError, match=r'^strconv\.ParseUint: parsing "-1": invalid syntax$'):
        go_syntax.parse_uint64("-1")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("32s", 32.0), ("1m30s", 90.0), ("1.5h", 5400.0), ("250ms", 0.25), ("0", 0.0), ("-2s", -2.0), (".5s", 0.5)],
)
def test_durations(text: str, seconds: float) -> None:
    assert go_syntax.parse_duration_seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", 'time: invalid duration ""'),
        ("x", 'time: invalid duration "x"'),
        ("5", 'time: missing unit in duration "5"'),
        ("5d", 'time: unknown unit "d" in duration "5d"'),
        (".s", 'time: invalid duration ".s"'),
        ("9999999999h", 'time: invalid duration "9999999999h"'),
    ],
)
def test_durations_that_are_none(text: str, sentence: str) -> None:
    with pytest.raises(ValueError) as wrong:
        go_syntax.parse_duration_seconds(text)
    assert str(wrong.value) == sentence
