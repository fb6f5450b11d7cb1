"""What a plain YAML scalar means to Go's YAML 1.1 library, which is not what it means to others.

Keeps: `y`, `n`, `yes`, `on` … are booleans; a timestamp stays a string; 0-prefixed integers are octal; numbers print as
in JSON. The same rules decide which strings must be quoted on the way out.
Source: spec: kube-api 13, observed "YAML bodies". Elsewhere: documents (`yaml_documents.py`).
"""

from __future__ import annotations

import calendar
import math
import re
from functools import lru_cache

Scalar = str | bool | int | float | None

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_POINT_FLOAT = re.compile(r"\.[0-9]+([eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"([-+]?)(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|0[0-7]*|[1-9][0-9]*)")
_BASE60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_TIMESTAMP = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)"
    r"(?:[Tt](\d\d?):(\d\d?):(\d\d?)(?:[.,]\d+)?(?:Z|[-+](\d\d):(\d\d))|[ ]+(\d\d?):(\d\d?):(\d\d?)(?:[.,]\d+)?)?",
    re.ASCII,
)
MERGE_KEY = "<<"
_INT64_MIN, _UINT64_MAX = -(1 << 63), (1 << 64) - 1
_NUMBER_LIMIT_CHARACTERS = 400
"""A longer text is no number that Go or Python can hold."""
_CACHED_CHARACTERS = 64


def resolve(text: str) -> Scalar:
    """The value of a plain scalar; the text itself where it is a string."""
    return _resolved(text) if len(text) <= _CACHED_CHARACTERS else _resolve(text)


def needs_quotes(text: str) -> bool:
    """Whether a reader would take this string, unquoted, for something else."""
    return not isinstance(resolve(text), str) or text == MERGE_KEY or _is_timestamp(text) or _is_base60(text)


def _resolve(text: str) -> Scalar:
    if text in _WORDS:
        return _WORDS[text]
    first = text[0]
    if first == ".":
        return _float(text) if _POINT_FLOAT.fullmatch(text) else text
    if first in "+-0123456789" and len(text) <= _NUMBER_LIMIT_CHARACTERS:
        return _number(text)
    return text


_resolved = lru_cache(maxsize=4096)(_resolve)


def _number(text: str) -> Scalar:
    if _is_timestamp(text):
        return text
    plain = text.replace("_", "")
    integer = _INTEGER.fullmatch(plain)
    if integer is not None:
        value = _integer(integer[1], integer[2].lower())
        # Only unsigned texts reach beyond int64.
        if _INT64_MIN <= value <= (_UINT64_MAX if not integer[1] else -_INT64_MIN - 1):
            return value
    return _float(plain, text) if _FLOAT.fullmatch(plain) else text


def _integer(sign: str, digits: str) -> int:
    base = {"0x": 16, "0o": 8, "0b": 2}.get(digits[:2])
    if base is not None:
        value = int(digits[2:], base)
    else:
        value = int(digits, 8 if digits.startswith("0") else 10)
    return -value if sign == "-" else value


def _float(text: str, otherwise: str | None = None) -> Scalar:
    value = float(text)
    if math.isinf(value):
        return text if otherwise is None else otherwise
    # On its way through JSON a whole number loses its point.
    return int(value) if value.is_integer() and abs(value) < 1e21 else value


def _is_timestamp(text: str) -> bool:
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        return False
    year, month, day, *clock = (int(part) if part else 0 for part in match.groups())
    hour, minute, second, zone_hour, zone_minute, plain_hour, plain_minute, plain_second = clock
    if not 1 <= month <= 12 or not 1 <= day <= calendar.monthrange(year or 400, month)[1]:
        return False
    in_zone = zone_hour <= 24 and zone_minute <= 60
    return in_zone and max(hour, plain_hour) < 24 and max(minute, plain_minute, second, plain_second) < 60


def _is_base60(text: str) -> bool:
    return ":" in text and _BASE60.fullmatch(text) is not None
