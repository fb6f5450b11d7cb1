"""Which form an answer takes, and which forms a body may have: Accept, Content-Type, `pretty`.

Keeps: the clauses of Accept are tried by weight, then explicit before `*`, then as written; a clause whose parameters
we cannot satisfy is skipped, which is why clients end with a plain fallback. The reference asks twice, its router by
bare type and its handler with parameters, and words the two refusals differently; so do we.
Repeated headers are parsed once (a bounded cache). Elsewhere: writing the forms (`documents.py`, `tables.py`).
Source: spec: kube-api 2.1-2.10.
"""

from __future__ import annotations

import enum
from functools import lru_cache

import msgspec

from service.domain.go_syntax import parse_bool
from service.http.accept import Clause, parse_accept
from service.http.errors import no_representation, not_acceptable, unsupported_body, unsupported_patch
from service.http.query import Query, first

JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
STREAM = ";stream=watch"
DISCOVERY_GROUP = "apidiscovery.k8s.io"
META_GROUP = "meta.k8s.io"
META_VERSIONS = ("v1", "v1beta1")
PARTIAL_KINDS = ("PartialObjectMetadata", "PartialObjectMetadataList")
PRETTY_AGENTS = ("curl", "Wget", "Mozilla/5.0")
CACHED_HEADERS_LIMIT = 1024
CACHED_HEADER_LIMIT_CHARACTERS = 1024


class Offer(msgspec.Struct, frozen=True):
    """What an endpoint can answer with. `media_types` in order of preference."""

    media_types: tuple[str, ...]
    watchable: bool = False
    """The collection can be watched: its route also produces streams."""
    tables: bool = False
    partial: bool = False
    discovery: bool = False

    @property
    def streams(self) -> tuple[str, ...]:
        return tuple(media_type + STREAM for media_type in self.media_types if media_type != YAML)

    @property
    def produced(self) -> tuple[str, ...]:
        return self.media_types + self.streams if self.watchable else self.media_types


class Negotiated(msgspec.Struct, frozen=True):
    media_type: str
    as_kind: str = ""
    """"", "Table", "PartialObjectMetadata", "PartialObjectMetadataList" or "APIGroupDiscoveryList\""""
    as_version: str = ""
    pretty: bool = False
    stream: bool = False
    """The answer is a stream of watch events."""

    @property
    def content_type(self) -> str:
        if self.as_kind == "APIGroupDiscoveryList":
            return f"{self.media_type};g={DISCOVERY_GROUP};v={self.as_version};as={self.as_kind}"
        return self.media_type + STREAM if self.stream and self.media_type == PROTOBUF else self.media_type


FALLBACK = Negotiated(JSON, pretty=True)
"""For an error nobody could agree on a form for."""


def negotiate(accept: str | None, offer: Offer, *, pretty: bool = False, stream: bool = False) -> Negotiated:
    """The form of a successful answer. Raises NotAcceptable.

    `pretty` is what the request asks for outside Accept (see `wants_pretty`); `stream` asks for a watch.
    """
    header = (accept or "").strip()
    decide = _decide if len(header) <= CACHED_HEADER_LIMIT_CHARACTERS else _decide.__wrapped__
    match decide(header, offer, pretty, stream):
        case _Refusal.OF_ROUTER:
            raise no_representation(offer.produced)
        case _Refusal.OF_HANDLER:
            raise not_acceptable(offer.streams if stream else offer.media_types)
        case found:
            return found


def negotiate_error(accept: str | None, media_types: tuple[str, ...], *, pretty: bool = False) -> Negotiated:
    """The form of an error: whatever plain clause there is, else indented JSON. Never raises."""
    found = _accepted(accept or "", Offer(media_types))
    if found is None:
        return FALLBACK
    return msgspec.structs.replace(found, pretty=(pretty or found.pretty) and found.media_type == JSON)


def wants_pretty(query: Query, user_agent: str | None) -> bool:
    """A `pretty` parameter decides if it has a value; else tools and browsers people read with get indented JSON."""
    asked = first(query, "pretty")
    if asked:
        return parse_bool(asked) or False
    return (user_agent or "").startswith(PRETTY_AGENTS)


def body_media_type(content_type: str | None, media_types: tuple[str, ...]) -> str:
    """The form of a body that is an object; without a header it is JSON. Raises UnsupportedMediaType."""
    media_type = _bare(content_type) or media_types[0]
    if media_type not in media_types:
        raise unsupported_body(media_types)
    return media_type


def patch_media_type(content_type: str | None, patch_types: tuple[str, ...]) -> str:
    """The form of a patch, which has to be said. Raises UnsupportedMediaType."""
    media_type = _bare(content_type)
    if media_type not in patch_types:
        raise unsupported_patch()
    return media_type


def _bare(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


class _Refusal(enum.Enum):
    OF_ROUTER = enum.auto()
    OF_HANDLER = enum.auto()


@lru_cache(maxsize=CACHED_HEADERS_LIMIT)
def _decide(accept: str, offer: Offer, pretty: bool, stream: bool) -> Negotiated | _Refusal:
    if not _router_accepts(accept, offer):
        return _Refusal.OF_ROUTER
    found = _accepted(accept, offer)
    if found is None or (stream and found.media_type == YAML):
        return _Refusal.OF_HANDLER
    indented = (pretty or found.pretty) and found.media_type == JSON and not stream
    return msgspec.structs.replace(found, pretty=indented, stream=stream)


def _router_accepts(accept: str, offer: Offer) -> bool:
    """By bare type, where only `*/*` is a wildcard: `application/*` does not pass."""
    if not accept:
        return True
    bare = [clause.partition(";")[0].strip().lower() for clause in accept.split(",")]
    return any(media_type == "*/*" or media_type in offer.media_types for media_type in bare)


def _accepted(accept: str, offer: Offer) -> Negotiated | None:
    if not accept:
        return Negotiated(offer.media_types[0])
    for clause in parse_accept(accept):
        for media_type in offer.media_types:
            if clause.covers(media_type) and (found := _with_parameters(clause, media_type, offer)):
                return found
    return None


def _with_parameters(clause: Clause, media_type: str, offer: Offer) -> Negotiated | None:
    get = clause.parameters.get
    stream, server_version = get("stream", ""), get("sv", "")
    if stream and (stream != "watch" or media_type == YAML):
        return None
    if server_version not in ("", "v1"):
        return None
    group, version, kind = get("g", ""), get("v", ""), get("as", "")
    pretty = get("pretty") == "1"
    if not (group or version or kind):
        return Negotiated(media_type, pretty=pretty)
    return Negotiated(media_type, kind, version, pretty) if _converts(media_type, group, version, kind, offer) else None


def _converts(media_type: str, group: str, version: str, kind: str, offer: Offer) -> bool:
    if group == DISCOVERY_GROUP:
        return offer.discovery and (version, kind) == ("v2", "APIGroupDiscoveryList") and media_type != PROTOBUF
    if group != META_GROUP or version not in META_VERSIONS:
        return False
    if kind == "Table":
        return offer.tables and media_type != PROTOBUF
    return offer.partial and kind in PARTIAL_KINDS
