"""Times are read as leniently, and refused as wordily, as Go does it."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.api.timestamps import InvalidTime, normalise_time

LAYOUT = '"2006-01-02T15:04:05Z07:00"'


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-05-06T07:08:09Z", "2024-05-06T07:08:09Z"),
        ("2024-05-06T07:08:09.999999999Z", "2024-05-06T07:08:09Z"),
        ("2024-05-06T07:08:09,5Z", "2024-05-06T07:08:09Z"),
        ("2024-05-06T07:08:09+02:00", "2024-05-06T05:08:09Z"),
        ("2024-05-06T7:08:09Z", "2024-05-06T07:08:09Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
        ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59-01:00", "10000-01-01T00:59:59Z"),
    ],
)
def test_a_time_becomes_utc_with_whole_seconds(text: str, instant: str) -> None:
    assert normalise_time(text) == instant


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "0001-01-01T01:00:00+01:00"])
def test_the_zero_instant_is_no_time(text: str) -> None:
    assert normalise_time(text) is None


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", f'parsing time "" as {LAYOUT}: cannot parse "" as "2006"'),
        ("yesterday", f'parsing time "yesterday" as {LAYOUT}: cannot parse "yesterday" as "2006"'),
        ("2024", f'parsing time "2024" as {LAYOUT}: cannot parse "" as "-"'),
        (
            "2024-1-02T00:00:00Z",
            f'parsing time "2024-1-02T00:00:00Z" as {LAYOUT}: cannot parse "1-02T00:00:00Z" as "01"',
        ),
        ("2024-13-01T00:00:00Z", 'parsing time "2024-13-01T00:00:00Z": month out of range'),
        ("2023-02-29T00:00:00Z", 'parsing time "2023-02-29T00:00:00Z": day out of range'),
        ("2024-01-01T24:00:00Z", 'parsing time "2024-01-01T24:00:00Z": hour out of range'),
        ("2024-01-01T00:60:00Z", 'parsing time "2024-01-01T00:60:00Z": minute out of range'),
        ("2024-01-01T00:00:60Z", 'parsing time "2024-01-01T00:00:60Z": second out of range'),
        ("2024-01-01T00:00:00", f'parsing time "2024-01-01T00:00:00" as {LAYOUT}: cannot parse "" as "Z07:00"'),
        (
            "2024-01-01T00:00:00+25:00",
            'parsing time "2024-01-01T00:00:00+25:00": time zone offset hour out of range',
        ),
        ("2024-01-01T00:00:00Zx", 'parsing time "2024-01-01T00:00:00Zx": extra text: "x"'),
        ("é", rf'parsing time "\xc3\xa9" as {LAYOUT}: cannot parse "\xc3\xa9" as "2006"'),
    ],
)
def test_a_refusal_is_in_gos_words(text: str, refusal: str) -> None:
    with pytest.raises(InvalidTime) as raised:
        normalise_time(text)
    assert str(raised.value) == refusal


@given(st.datetimes(min_value=datetime.datetime(1, 1, 2)), st.integers(-24 * 60, 24 * 60))
def test_every_instant_is_found_whatever_its_zone(instant: datetime.datetime, offset_minutes: int) -> None:
    instant = instant.replace(microsecond=0)
    sign, minutes = ("-" if offset_minutes < 0 else "+"), abs(offset_minutes)
    text = f"{instant:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"
    expected = normalise_time(text)
    if 2 <= instant.year <= 9998:
        in_utc = instant - datetime.timedelta(minutes=offset_minutes)
        assert expected == f"{in_utc:%Y-%m-%dT%H:%M:%SZ}".rjust(20, "0")


@given(st.text())
def test_nothing_but_a_refusal_comes_of_any_text(text: str) -> None:
    try:
        normalise_time(text)
    except InvalidTime as refusal:
        assert str(refusal).startswith("parsing time ")
