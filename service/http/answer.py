"""A whole answer: status, headers, body. What the handlers of plain documents return, and what gets written.

Keeps: headers are in their final spelling; `Content-Length` and the connection are left to the server.
Elsewhere: the encodings of a document (`documents.py`), answers that stream (`watch` handlers).
"""

from __future__ import annotations

import msgspec

NOSNIFF = ("X-Content-Type-Options", "nosniff")
TEXT = "text/plain; charset=utf-8"


class Answer(msgspec.Struct, frozen=True):
    status: int
    headers: dict[str, str]
    body: bytes = b""


def text_answer(status: int, text: str, *, nosniff: bool = True) -> Answer:
    headers = {"Content-Type": TEXT}
    if nosniff:
        headers.update([NOSNIFF])
    return Answer(status, headers, text.encode())
