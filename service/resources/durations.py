"""How long ago: in words, as the Updated column of a table says it, or short, as an Age column does.

Keeps: the words are those of the reference's tables; a moment that has yet to come counts as now.
Source: spec: image-api 13.3; the short form is kubectl's own.
"""

from __future__ import annotations

import datetime

_MINUTE, _HOUR, _DAY = 60, 3600, 24
"""A minute and an hour in seconds, a day in hours."""


def ago(moment: str | None, now: str) -> str:
    """Both are RFC 3339 in UTC with whole seconds; "" without a moment."""
    return f"{human_duration(_seconds_between(moment, now))} ago" if moment else ""


def human_duration(seconds: int) -> str:
    if seconds < 2 * _MINUTE:
        return _short(seconds)
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} minutes"
    # Half an hour rounds up.
    hours = (2 * seconds + _HOUR) // (2 * _HOUR)
    if hours == 1:
        return "About an hour"
    if hours < 2 * _DAY:
        return f"{hours} hours"
    if hours < 14 * _DAY:
        return f"{hours // _DAY} days"
    if hours < 60 * _DAY:
        return f"{hours // _DAY // 7} weeks"
    if hours < 2 * 365 * _DAY:
        return f"{hours // _DAY // 30} months"
    return f"{seconds // _HOUR // _DAY // 365} years"


def age(moment: str | None, now: str) -> str:
    """In the two largest units, of which the smaller is told only while the larger is small."""
    if not moment:
        return "<unknown>"
    seconds = max(_seconds_between(moment, now), 0)
    if seconds < 2 * _MINUTE:
        return f"{seconds}s"
    if seconds < 3 * _HOUR:
        return _in_two_units(seconds, _MINUTE, "m", "s", whole_from=10)
    hours = seconds // _HOUR
    if hours < 2 * _DAY:
        return _in_two_units(seconds // _MINUTE, _MINUTE, "h", "m", whole_from=8)
    if hours < 2 * 365 * _DAY:
        return _in_two_units(hours, _DAY, "d", "h", whole_from=8)
    return _in_two_units(hours // _DAY, 365, "y", "d", whole_from=8)


def _in_two_units(amount: int, size: int, large: str, small: str, whole_from: int) -> str:
    """`size` small units are a large one; from `whole_from` large ones on the small ones are left out."""
    whole, rest = divmod(amount, size)
    return f"{whole}{large}{rest}{small}" if rest and whole < whole_from else f"{whole}{large}"


def _short(seconds: int) -> str:
    if seconds < 1:
        return "Less than a second"
    if seconds < _MINUTE:
        return "1 second" if seconds == 1 else f"{seconds} seconds"
    return "About a minute"


def _seconds_between(earlier: str, later: str) -> int:
    return int((_instant(later) - _instant(earlier)).total_seconds())


def _instant(text: str) -> datetime.datetime:
    # Go has a year 0, Python begins with 1; in words they are equally long ago.
    return datetime.datetime.fromisoformat(text.replace("0000-", "0001-", 1) if text.startswith("0000-") else text)
