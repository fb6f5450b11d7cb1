"""Numbers and durations as Go reads them, with the sentences Go has for what is none.

Keeps: a parser accepts exactly what Go's accepts, and its ValueError carries Go's sentence, so that a Status quoting
it reads like the reference's.
Elsewhere: which request parameter is which (`http/options.py`), how Go prints (`api/go_text.py`).
Source: spec: kube-api 12, and 10 for the request timeout.
"""

from __future__ import annotations

import re

from service.api.go_text import quote

INT64_MAX = 2**63 - 1
UINT64_MAX = 2**64 - 1
DIGITS_LIMIT = 20
"""No 64-bit number has more digits; a longer one need not be converted to know it is out of range."""

_SIGNED = re.compile(r"[+-]?[0-9]+")
_UNSIGNED = re.compile(r"[0-9]+")
_DURATION_PART = re.compile(r"([0-9]*)(?:\.([0-9]*))?([^0-9.]*)")
_UNIT_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_int64(text: str) -> int:
    """Raises ValueError with the sentence of strconv.ParseInt."""
    if not _SIGNED.fullmatch(text):
        raise ValueError(f"strconv.ParseInt: parsing {quote(text)}: invalid syntax")
    value = _bounded(text)
    if not -INT64_MAX - 1 <= value <= INT64_MAX:
        raise ValueError(f"strconv.ParseInt: parsing {quote(text)}: value out of range")
    return value


def parse_uint64(text: str) -> int:
    """Raises ValueError with the sentence of strconv.ParseUint."""
    if not _UNSIGNED.fullmatch(text):
        raise ValueError(f"strconv.ParseUint: parsing {quote(text)}: invalid syntax")
    value = _bounded(text)
    if value > UINT64_MAX:
        raise ValueError(f"strconv.ParseUint: parsing {quote(text)}: value out of range")
    return value


def _bounded(digits: str) -> int:
    """The number, or one beyond every 64-bit range for a text too long to be one."""
    sign = -1 if digits[0] == "-" else 1
    significant = digits.lstrip("+-").lstrip("0") or "0"
    return sign * (int(significant) if len(significant) <= DIGITS_LIMIT else UINT64_MAX + 1)


def parse_bool(text: str) -> bool | None:
    """What strconv.ParseBool makes of it; None where it fails."""
    if text in ("1", "t", "T", "TRUE", "true", "True"):
        return True
    return False if text in ("0", "f", "F", "FALSE", "false", "False") else None


def parse_duration_seconds(text: str) -> float:
    """A duration like "1m30s", in seconds. Raises ValueError with the sentence of time.ParseDuration."""
    wrong = ValueError(f"time: invalid duration {quote(text)}")
    negative, rest = text.startswith("-"), text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return 0.0
    if not rest:
        raise wrong
    seconds, position = 0.0, 0
    while position < len(rest):
        part = _DURATION_PART.match(rest, position)
        if part is None or not (part[1] or part[2]):
            raise wrong
        if not part[3]:
            raise ValueError(f"time: missing unit in duration {quote(text)}")
        if part[3] not in _UNIT_SECONDS:
            raise ValueError(f"time: unknown unit {quote(part[3])} in duration {quote(text)}")
        seconds += float(f"{part[1] or '0'}.{part[2] or '0'}") * _UNIT_SECONDS[part[3]]
        position = part.end()
    if seconds * 1e9 > INT64_MAX:
        raise wrong
    return -seconds if negative else seconds
