"""gzip for large answers, where the client takes it.

Keeps: what is compressed is compressed fast rather than small, and off the event loop; small answers and watches are
sent as they are. Source: spec: kube-api 2.11.
"""

from __future__ import annotations

import asyncio
import gzip

import msgspec

from service.http.answer import Answer

THRESHOLD_BYTES = 128 * 1024
LEVEL = 1


async def compressed(answer: Answer, accept_encoding: str | None) -> Answer:
    """The answer, or the same in gzip."""
    if len(answer.body) <= THRESHOLD_BYTES or not _takes_gzip(accept_encoding or ""):
        return answer
    body = await asyncio.to_thread(gzip.compress, answer.body, LEVEL, mtime=0)
    varies = ", ".join(filter(None, [answer.headers.get("Vary"), "Accept-Encoding"]))
    headers = {**answer.headers, "Content-Encoding": "gzip", "Vary": varies}
    return msgspec.structs.replace(answer, headers=headers, body=body)


def _takes_gzip(accept_encoding: str) -> bool:
    """By name alone: a weight makes it another token, as for the reference."""
    return any(token.strip() == "gzip" for token in accept_encoding.split(","))
