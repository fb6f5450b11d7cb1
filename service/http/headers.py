"""The headers of every answer, whatever its body: which request it is, who may keep it, what the client is warned of.

Keeps: a text that cannot stand in a header is left out, so no warning ever breaks an answer (spec: kube-api 8.3).
Elsewhere: the headers that belong to a body (`answer.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from multidict import CIMultiDict

AUDIT_ID = "Audit-Id"
CACHE_CONTROL = "Cache-Control"
NOT_KEPT = "no-store"
SERVER, PROGRAM = "Server", "tag-history"
"""Else aiohttp tells everybody its own version, and that of Python."""


def with_common_headers(headers: Mapping[str, str], request_id: str, warnings: Iterable[str]) -> CIMultiDict[str]:
    """The headers of a body and the common ones beside them."""
    common = CIMultiDict(headers)
    common[AUDIT_ID] = request_id
    common[SERVER] = PROGRAM
    common.setdefault(CACHE_CONTROL, NOT_KEPT)
    for text in dict.fromkeys(warnings):
        if text.isprintable():
            quoted = text.replace("\\", "\\\\").replace('"', '\\"')
            common.add("Warning", f'299 - "{quoted}"')
    return common
