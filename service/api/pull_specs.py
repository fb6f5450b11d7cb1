"""Pull specs: the grammar of `[host[:port]/]path[:tag][@digest]`, and what its parts mean to image streams.

Keeps: parsing is linear in the length of the text, whatever the text; a spec printed exactly parses to the same parts,
unless they were ambiguous. Source: spec: image-api 14.1.
Elsewhere: names relative to a stream, the order of tags (`domain/references.py`).
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

NAME_LIMIT_CHARACTERS = 255
LIMIT_CHARACTERS = 8192
"""No pull spec is longer than name, tag and digest together, which is far less; what is, is not worth a closer look."""
DEFAULT_TAG = "latest"
DOCKER_HUB = "docker.io"
DOCKER_HUB_NAMESPACE = "library"
DOCKER_HUB_HOSTS = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io"})

# Possessive throughout: no part can be read in two ways, and hostile texts cost one pass.
_HOST_COMPONENT = r"[a-zA-Z0-9]++(?:-++[a-zA-Z0-9]++)*+"
_HOST = rf"{_HOST_COMPONENT}(?:\.{_HOST_COMPONENT})*+(?::[0-9]++)?+"
_COMPONENT = r"[a-z0-9]++(?:(?:[._]|__|-++)[a-z0-9]++)*+"
_TAG = "latest"
DOCKER_HUB = "docker.io"
DOCKER_HUB_NAMESPACE = "library"
DOCKER_HUB_HOSTS = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io"})

_HOST_COMPONENT = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_HOST = rf"{_HOST_COMPONENT}(?:\.{_HOST_COMPONENT})*(?::[0-9]+)?"
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_SPEC = re.compile(rf"((?:{_HOST}/)?{_COMPONENT}(?:/{_COMPONENT})*+)(?::({_TAG}))?(?:@({_DIGEST}))?")
_ANY_DIGEST = re.compile(r"([a-zA-Z0-9_+.-]++):([a-fA-F0-9]++)")
_HEX_DIGITS = {"sha256": 64, "sha384": 96, "sha512": 128}

_CACHED_CHARACTERS = 512
"""A longer spec is parsed each time, so that the cache stays small."""


class InvalidPullSpec(ValueError):
    """The text is no pull spec, or no digest; the message is the reference's."""


class PullSpec(msgspec.Struct, frozen=True):
    """Where an image is pulled from; "" for what was not said."""

    registry: str = ""
    namespace: str = ""
    name: str = ""
    tag: str = ""
    id: str = ""
    """A digest; in old data also a bare image id."""

    def exact(self) -> str:
        """The parts as they are, nothing added; an id wins over a tag."""
        prefix = "".join(f"{part}/" for part in (self.registry, self.namespace) if part)
        if not self.name:
            return prefix if self.registry else ""
        if self.id:
            return f"{prefix}{self.name}{'@' if is_digest(self.id) else ':'}{self.id}"
        return f"{prefix}{self.name}:{self.tag}" if self.tag else prefix + self.name

    def repository(self) -> PullSpec:
        return msgspec.structs.replace(self, tag="", id="")

    def most_specific(self) -> PullSpec:
        """Without its tag if it has a digest; an id that is no digest serves as a tag where there is none."""
        if not self.id:
            return self
        if is_digest(self.id):
            return msgspec.structs.replace(self, tag="")
        return self if self.tag else msgspec.structs.replace(self, tag=self.id, id="")

    def with_client_defaults(self) -> PullSpec:
        """With what a client fills in: docker.io, library, latest."""
        registry = self.registry or DOCKER_HUB
        namespace = self.namespace or (DOCKER_HUB_NAMESPACE if registry in DOCKER_HUB_HOSTS else "")
        return msgspec.structs.replace(self, registry=registry, namespace=namespace, tag=self.tag or DEFAULT_TAG)


def parse_pull_spec(text: str) -> PullSpec:
    """Raises InvalidPullSpec."""
    return _parse_cached(text) if len(text) <= _CACHED_CHARACTERS else _parse(text)


def check_digest(text: str) -> tuple[str, str]:
    """(algorithm, hex) of a digest. Raises InvalidPullSpec."""
    match = _ANY_DIGEST.fullmatch(text)
    if match is None:
        raise InvalidPullSpec("invalid checksum digest format")
    algorithm, digits = match[1], match[2]
    if algorithm not in _HEX_DIGITS:
        raise InvalidPullSpec("unsupported digest algorithm")
    if len(digits) != _HEX_DIGITS[algorithm]:
        raise InvalidPullSpec("invalid checksum digest length")
    return algorithm, digits


def is_digest(text: str) -> bool:
    try:
        check_digest(text)
    except InvalidPullSpec:
        return False
    return True


def _parse(text: str) -> PullSpec:
    match = _SPEC.fullmatch(text) if len(text) <= LIMIT_CHARACTERS else None
    if match is None:
        if not text:
            raise InvalidPullSpec("repository name must have at least one component")
        if len(text) <= LIMIT_CHARACTERS and _SPEC.fullmatch(text.lower()):
            raise InvalidPullSpec("repository name must be lowercase")
        raise InvalidPullSpec("invalid reference format")
    name, tag, digest = match[1], match[2] or "", match[3] or ""
    if len(name) > NAME_LIMIT_CHARACTERS:
        raise InvalidPullSpec(f"repository name must not be more than {NAME_LIMIT_CHARACTERS} characters")
    if digest:
        check_digest(digest)
    return _with_parts(text, name, tag, digest)


_parse_cached = lru_cache(maxsize=4096)(_parse)


def _with_parts(text: str, name: str, tag: str, digest: str) -> PullSpec:
    first, slash, rest = name.partition("/")
    if not slash:
        if "." in name or name.startswith("localhost"):
            # The whole text, tag and digest included, is taken for a registry.
            return PullSpec(registry=text, id=digest)
        return PullSpec(name=name, tag=tag, id=digest)
    registry = ""
    if "." in first or ":" in first or first == "localhost":
        registry, name = first, rest
    namespace, slash, bare = name.partition("/")
    if not slash:
        namespace, bare = "", name
    return PullSpec(registry, namespace, bare, tag, digest)
