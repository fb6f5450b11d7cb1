"""Objects as clients were told of them, kept small: each distinct text is decoded once and spooled to a file.

What is compared is a digest of the document with its fields in order, without kind and apiVersion, which stand for
themselves: lists leave them out of their items.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from service.api.json_types import JsonObject

INITIAL_END = "k8s.io/initial-events-end"
LARGE_TEXTS = ("dockerImageManifest", "dockerImageConfig")
"""Of an image. Clients are told them, the fold does not hold them."""

_encoder = msgspec.json.Encoder(order="deterministic")


class Line(msgspec.Struct, frozen=True, eq=False):
    type: str
    """Of the event; "" for an item of a list and the answer to a get."""
    kind: str
    namespace: str
    name: str
    version: int
    digest: bytes
    texts: tuple[str, ...]
    """SHA-256 of an image's manifest and config, as far as they were told."""
    ends_initial: bool
    offset: int
    size_bytes: int

    def __str__(self) -> str:
        return f"{self.type or 'object'} {self.namespace}/{self.name} at {self.version}"


class Lines:
    def __init__(self, spool: Path) -> None:
        self._spool = spool.open("w+b")
        self._known: dict[bytes, Line] = {}

    def close(self) -> None:
        self._spool.close()

    def event(self, text: bytes) -> Line:
        """Of one line of a watch."""
        return self._line(text, is_event=True)

    def object(self, text: bytes) -> Line:
        """Of an item or an answer."""
        return self._line(text, is_event=False)

    def text(self, line: Line) -> str:
        self._spool.seek(line.offset)
        return self._spool.read(line.size_bytes).decode()

    def _line(self, text: bytes, *, is_event: bool) -> Line:
        name = hashlib.blake2b(text, digest_size=16, person=b"event" if is_event else b"object").digest()
        line = self._known.get(name)
        if line is None:
            line = self._known[name] = self._decoded(text, is_event=is_event)
        return line

    def _decoded(self, text: bytes, *, is_event: bool) -> Line:
        document: Any = msgspec.json.decode(text)
        event_type = document["type"] if is_event else ""
        if is_event:
            document = document["object"]
        metadata = document.get("metadata") or {}
        kind = document.get("kind", "")
        offset = self._spool.seek(0, 2)
        self._spool.write(text)
        texts = tuple(
            f"sha256:{hashlib.sha256(document.pop(field).encode()).hexdigest()}" if field in document else ""
            for field in LARGE_TEXTS
        )
        return Line(
            event_type,
            kind,
            metadata.get("namespace", ""),
            metadata.get("name", ""),
            int(metadata.get("resourceVersion") or 0),
            digest_of(document),
            texts,
            INITIAL_END in (metadata.get("annotations") or {}),
            offset,
            len(text),
        )


def digest_of(document: JsonObject) -> bytes:
    """Of what the document says of the object."""
    said = {name: value for name, value in document.items() if name not in ("kind", "apiVersion")}
    return hashlib.blake2b(_encoder.encode(said), digest_size=16).digest()
