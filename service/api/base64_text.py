"""Base64 as Go's `encoding/base64` reads it.

Keeps: what comes out is canonical (no line breaks, no stray bits); what is refused is refused at Go's offset.
"""

from __future__ import annotations

import base64
import binascii
import re

_NO_SYMBOL = re.compile(rb"[^A-Za-z0-9+/\r\n]")


class InvalidBase64(ValueError):
    """The text is no base64; the message is Go's."""


def normalise_base64(text: str) -> str:
    """The same bytes, encoded canonically. Raises InvalidBase64."""
    compact = text.replace("\r", "").replace("\n", "")
    try:
        content = base64.b64decode(compact, validate=True)
    except (binascii.Error, ValueError):
        offset = _first_illegal_byte(text.encode("utf-8", "replace"))
        raise InvalidBase64(f"illegal base64 data at input byte {offset}") from None
    return base64.b64encode(content).decode()


def _first_illegal_byte(content: bytes) -> int:
    """The offset Go reports: it reads four symbols at a time and blames the place where a group breaks."""
    odd = _NO_SYMBOL.search(content)
    if odd is None:
        symbols = len(content) - _line_breaks(content)
        return len(content) - symbols % 4
    at = odd.start()
    place = (at - _line_breaks(content[:at])) % 4
    if content[at : at + 1] != b"=" or place < 2:
        return at
    following = _past_line_breaks(content, at + 1)
    if place == 2:
        if following == len(content):
            return following
        if content[following : following + 1] != b"=":
            return following - 1
        following = _past_line_breaks(content, following + 1)
    return following


def _line_breaks(content: bytes) -> int:
    return content.count(b"\r") + content.count(b"\n")


def _past_line_breaks(content: bytes, start: int) -> int:
    return len(content) - len(content[start:].lstrip(b"\r\n"))
