"""How long ago, in words: what the Updated column of a table says.

Keeps: the words are those of the reference's tables; a moment that has yet to come counts as now.
Source: spec: image-api 13.3.
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
