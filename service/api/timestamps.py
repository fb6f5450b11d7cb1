"""Reading RFC 3339 times as Go's `time.Parse` does, and writing them as Kubernetes does.

Keeps: what comes out is UTC with whole seconds, or None for the zero instant (spec: kube-api 2 row 13, image-api 3.5);
what is refused is refused in Go's words. The reader is lenient where Go is: one-digit hours, any number of decimals.
"""

from __future__ import annotations

import calendar
import datetime
import re
from functools import lru_cache

_LAYOUT = "2006-01-02T15:04:05Z07:00"
_CANONICAL = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ", re.ASCII)
_ZERO = "0001-01-01T00:00:00Z"
_CALENDAR_CYCLE_YEARS = 400
"""The calendar repeats after this many years; Python's `datetime` lacks year 0 and year 10000, Go's has them."""
CACHED_TIMES = 4_096
"""The steps of a base image come again with every image on it."""
CACHED_CHARACTERS = 35
"""The longest time with nanoseconds and a zone: what is longer may be of any length, and is not kept."""


class InvalidTime(ValueError):
    """The text is no RFC 3339 time; the message is Go's."""


def normalise_time(text: str) -> str | None:
    """The instant as `YYYY-MM-DDTHH:MM:SSZ`, or None when it is the zero time.

    Raises InvalidTime.
    """
    return _read(text) if len(text) <= CACHED_CHARACTERS else _read.__wrapped__(text)


@lru_cache(maxsize=CACHED_TIMES)
def _read(text: str) -> str | None:
    canonical = _CANONICAL.fullmatch(text)
    if canonical is not None:
        year, month, day = (int(part) for part in canonical.groups())
        if 1 <= month <= 12 and 1 <= day <= _days_in(year, month):
            return None if text == _ZERO else text
    # Go counts bytes: one character per byte keeps its slices and its escapes.
    return _Reader(text.encode("utf-8", "replace").decode("latin-1")).read()


def _days_in(year: int, month: int) -> int:
    return calendar.monthrange(year or _CALENDAR_CYCLE_YEARS, month)[1]


class _Reader:
    """One pass over the text, element by element of the layout."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._rest = text

    def read(self) -> str | None:
        year = self._year()
        self._literal("-")
        month = self._number("01", 1, 12, "month")
        self._literal("-")
        day = self._number("02", None, None, "day")
        self._literal("T")
        hour = self._number("15", 0, 23, "hour", fixed=False)
        self._literal(":")
        minute = self._number("04", 0, 59, "minute")
        self._literal(":")
        second = self._number("05", 0, 59, "second")
        self._skip_fraction()
        offset_minutes = self._zone()
        if self._rest:
            raise self._refused(f": extra text: {_quote(self._rest)}")
        if not 1 <= day <= _days_in(year, month):
            raise self._refused(": day out of range")
        return _in_utc(year, month, day, hour, minute, second, offset_minutes)

    def _year(self) -> int:
        text = self._rest[:4]
        if len(text) < 4 or not _is_number(text):
            raise self._cannot_parse(self._rest, "2006")
        self._rest = self._rest[4:]
        return int(text)

    def _literal(self, expected: str) -> None:
        if not self._rest.startswith(expected):
            raise self._cannot_parse(self._rest, expected)
        self._rest = self._rest[1:]

    def _number(self, element: str, low: int | None, high: int | None, name: str, fixed: bool = True) -> int:
        digits = 2 if _is_number(self._rest[:2]) and len(self._rest) >= 2 else 1
        if not _is_number(self._rest[:digits]) or (digits == 1 and fixed):
            raise self._cannot_parse(self._rest, element)
        value, self._rest = int(self._rest[:digits]), self._rest[digits:]
        if low is not None and high is not None and not low <= value <= high:
            raise self._refused(f": {name} out of range")
        return value

    def _skip_fraction(self) -> None:
        if len(self._rest) >= 2 and self._rest[0] in ".," and _is_number(self._rest[1]):
            self._rest = self._rest[1:].lstrip("0123456789")

    def _zone(self) -> int:
        held = self._rest
        if held.startswith("Z"):
            self._rest = held[1:]
            return 0
        if len(held) < 6 or held[3] != ":" or not _is_number(held[1:3]) or not _is_number(held[4:6]):
            raise self._cannot_parse(held, "Z07:00")
        hours, minutes = int(held[1:3]), int(held[4:6])
        # Go really compares with "more than" here.
        if hours > 24:
            raise self._refused(": time zone offset hour out of range")
        if minutes > 60:
            raise self._refused(": time zone offset minute out of range")
        if held[0] not in "+-":
            raise self._cannot_parse(held, "Z07:00")
        self._rest = held[6:]
        offset = hours * 60 + minutes
        return offset if held[0] == "+" else -offset

    def _cannot_parse(self, value: str, element: str) -> InvalidTime:
        return InvalidTime(
            f"parsing time {_quote(self._text)} as {_quote(_LAYOUT)}: cannot parse {_quote(value)} as {_quote(element)}"
        )

    def _refused(self, message: str) -> InvalidTime:
        return InvalidTime(f"parsing time {_quote(self._text)}{message}")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _in_utc(year: int, month: int, day: int, hour: int, minute: int, second: int, offset_minutes: int) -> str | None:
    shift = 0
    if year < _CALENDAR_CYCLE_YEARS:
        shift = _CALENDAR_CYCLE_YEARS
    elif year > 9000:
        shift = -_CALENDAR_CYCLE_YEARS
    local = datetime.datetime(year + shift, month, day, hour, minute, second)
    instant = local - datetime.timedelta(minutes=offset_minutes)
    text = f"{instant.year - shift:04d}-{instant:%m-%dT%H:%M:%S}Z"
    return None if text == _ZERO else text


def _quote(text: str) -> str:
    """Go's `time` quotes bytes, not characters: `text` holds one character per byte."""
    escaped = (f"\\x{ord(c):02x}" if c < " " or c > "\x7f" else ("\\" + c if c in '"\\' else c) for c in text)
    return '"' + "".join(escaped) + '"'
