"""The subject of an event: `taghistory.<namespace>.<imagestream>.<event type>`, so that subscribers can choose.

Cluster-scoped aggregates go by their kind, without the name: `taghistory._.image.<event type>`.
Keeps: every name is one token, and different names are different tokens. What a token cannot hold is percent-encoded,
byte by byte in UTF-8; an empty name is a lone `%`, and a namespace `_` is `%5F`.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from service.eventstore.records import RecordedEvent

PREFIX: Final = "taghistory"
ALL_SUBJECTS: Final = f"{PREFIX}.>"
CLUSTER_SCOPED: Final = "_"
EMPTY: Final = "%"

_PLAIN: Final = re.compile(r"[A-Za-z0-9-][A-Za-z0-9_-]*")
_UNSAFE: Final = re.compile(rb"[^A-Za-z0-9_-]|^_")


def subject_of(event: RecordedEvent) -> str:
    aggregate = event.aggregate
    if not aggregate.namespace:
        return f"{PREFIX}.{CLUSTER_SCOPED}.{encode_token(aggregate.kind.lower())}.{encode_token(event.type)}"
    namespace, name = encode_token(aggregate.namespace), encode_token(aggregate.name)
    return f"{PREFIX}.{namespace}.{name}.{encode_token(event.type)}"


def encode_token(name: str) -> str:
    """The name as one token of a subject."""
    if _PLAIN.fullmatch(name):
        return name
    if not name:
        return EMPTY
    return _UNSAFE.sub(lambda match: b"%%%02X" % match[0][0], name.encode()).decode()


def decode_token(token: str) -> str:
    """The name that a token stands for."""
    return "" if token == EMPTY else unquote_to_bytes(token).decode()
