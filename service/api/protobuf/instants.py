"""Instants between the text of JSON and the seconds of protobuf.

Keeps: the zero instant is None here, as everywhere in documents, and whole seconds are all there is
(spec: kube-api 2 row 13). Any year goes: whether a time is sound is judged where documents are (`api/decoding.py`).
"""

from __future__ import annotations

from datetime import date

ZERO_SECONDS = -62135596800
"""January 1 of year 1, which means no time at all."""
DAY_SECONDS = 86400

# The calendar repeats after 400 years. Python's knows the years 1 to 9999; ours all lie in its years 400 to 799.
_CYCLE_YEARS, _CYCLE_DAYS = 400, 146097
_FIRST_DAY = date(_CYCLE_YEARS, 1, 1).toordinal()
_EPOCH_DAY = date(1970, 1, 1).toordinal() + _CYCLE_DAYS


def seconds_of(time: str) -> int:
    """Seconds since 1970 of `YYYY-MM-DDTHH:MM:SSZ`."""
    day, _, clock = time.removesuffix("Z").partition("T")
    year, month, day_of_month = (int(part) for part in day.split("-"))
    hour, minute, second = (int(part) for part in clock.split(":"))
    cycles, year_of_cycle = divmod(year, _CYCLE_YEARS)
    ordinal = date(_CYCLE_YEARS + year_of_cycle, month, day_of_month).toordinal()
    days = cycles * _CYCLE_DAYS + ordinal - _EPOCH_DAY
    return days * DAY_SECONDS + hour * 3600 + minute * 60 + second


def time_of(seconds: int) -> str | None:
    """`YYYY-MM-DDTHH:MM:SSZ`, or None for the zero instant."""
    if seconds == ZERO_SECONDS:
        return None
    days, rest = divmod(seconds, DAY_SECONDS)
    cycles, day_of_cycle = divmod(days + _EPOCH_DAY - _FIRST_DAY, _CYCLE_DAYS)
    day = date.fromordinal(_FIRST_DAY + day_of_cycle)
    year = day.year + (cycles - 1) * _CYCLE_YEARS
    hour, minute, second = rest // 3600, rest // 60 % 60, rest % 60
    return f"{year:04d}-{day:%m-%d}T{hour:02d}:{minute:02d}:{second:02d}Z"
