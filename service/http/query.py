"""The query string of a request: decoded once, then read by name.

Keeps: the first value of a repeated parameter counts, except where all of them are asked for; a parameter without a
value is present. Elsewhere: which parameters there are and what they may hold (`options.py`).
Source: spec: kube-api 1.1.2 and 12.
"""

from __future__ import annotations

from typing import TypeAlias
from urllib.parse import parse_qs

from service.domain.errors import BadRequest

Query: TypeAlias = "dict[str, list[str]]"

PARAMETERS_LIMIT = 1000
NOTHING: Query = {}


def parse_query(text: str) -> Query:
    """Raises BadRequest for more than PARAMETERS_LIMIT parameters."""
    if not text:
        return NOTHING
    try:
        return parse_qs(text, keep_blank_values=True, max_num_fields=PARAMETERS_LIMIT)
    except ValueError:
        raise BadRequest(f"too many query parameters: the limit is {PARAMETERS_LIMIT}") from None


def first(query: Query, name: str) -> str:
    values = query.get(name)
    return values[0] if values else ""


def flag(query: Query, name: str) -> bool | None:
    """None where absent; otherwise anything but "0" and "false" is true, the empty string included."""
    values = query.get(name)
    return values[0].lower() not in ("0", "false") if values else None
