"""The continue token of a paged list: which snapshot, and behind which object to go on.

Keeps: the reference's own form, so that tokens are as opaque, and as inspectable, as its.
Source: spec: kube-api 6.2.5-6.2.6.
"""

from __future__ import annotations

import base64
import binascii
import json

import msgspec

from service.api.decoding import DecodeError, parse_json
from service.domain.errors import BadRequest

VERSION = "meta.k8s.io/v1"
REST_OF_NEWEST = -1
"""The position of a token that goes on with whatever there is by then."""


class _Token(msgspec.Struct, omit_defaults=True):
    v: str = ""
    rv: int = 0
    start: str = ""


class ContinueToken(msgspec.Struct, frozen=True):
    position: int
    """of the snapshot; below 0 it is the newest one: the rest of a list that has lost its snapshot"""
    namespace: str
    """"" where the list is of one namespace or of a cluster-scoped resource"""
    name: str

    @property
    def is_of_newest(self) -> bool:
        return self.position < 0

    def encode(self) -> str:
        where = f"/{self.namespace}/{self.name}" if self.namespace else f"/{self.name}"
        document = {"v": VERSION, "rv": self.position, "start": f"{where}\u0000"}
        text = json.dumps(document, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def decode(text: str) -> ContinueToken:
    """Raises BadRequest with the reference's reason."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as wrong:
        raise _bad(f": {wrong}") from wrong
    try:
        token = msgspec.convert(parse_json(raw).document, _Token)
    except (DecodeError, msgspec.ValidationError) as wrong:
        raise _bad(f": {wrong}") from wrong
    if token.v != VERSION:
        raise _bad(f": server does not recognize this encoded version {token.v}")
    if token.rv == 0:
        raise _bad(f": incorrect encoded start resourceVersion (version {VERSION})")
    if not token.start:
        raise _bad(f": encoded start key empty (version {VERSION})")
    key = token.start.removesuffix("\u0000")
    parts = key.lstrip("/").split("/")
    if ".." in parts or "" in parts or len(parts) > 2 or "\0" in key:
        raise _bad(f": {key}")
    return ContinueToken(token.rv, parts[0] if len(parts) == 2 else "", parts[-1])


def _bad(why: str) -> BadRequest:
    return BadRequest(f"invalid continue token: continue key is not valid{why}")
