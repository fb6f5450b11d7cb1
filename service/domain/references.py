"""Names that lead to images: of stream tags, stream images and signatures, short ids, and the order of tags.

Keeps: `prioritized` is a total order, so equal inputs give equal lists on every replica.
Source: spec: image-api 14.2-14.4, 5.1, 7.1. Elsewhere: pull specs (`api/pull_specs.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache, total_ordering

from service.api.pull_specs import DEFAULT_TAG, is_digest

TAG_SOURCE_FORM = "must be of the form <tag>, <repo>:<tag>, <id>, or <repo>@<id>"

_SEPARATORS = {"ImageStreamTag": ":", "ImageStreamImage": "@"}


def split_tag_name(name: str) -> tuple[str, str] | None:
    """(stream, tag) of an ImageStreamTag or ImageTag in a URL; None if it is not `<stream>:<tag>`."""
    stream, colon, tag = name.partition(":")
    if not (stream and colon and tag) or ":" in tag or "@" in name:
        return None
    return stream, tag


def split_tag_name_loosely(name: str) -> tuple[str, str]:
    """(stream, tag) where a name is taken as it comes: split at the first colon, no tag is the default tag."""
    stream, _, tag = name.partition(":")
    return stream, tag or DEFAULT_TAG


def split_image_name(name: str) -> tuple[str, str] | None:
    """(stream, id) of an ImageStreamImage; None if it is not `<stream>@<id>`."""
    return _split_at(name)


def split_signature_name(name: str) -> tuple[str, str] | None:
    """(image, signature) of an ImageSignature; None if it is not `<image>@<signature>`."""
    return _split_at(name)


def split_tag_source(kind: str, name: str, own_stream: str) -> tuple[str, str] | None:
    """(stream, tag or id) of what a spec tag of this kind follows; None if it is not TAG_SOURCE_FORM, or the kind

    names no tag or image of a stream (spec: image-api 4.4.3).
    """
    separator = _SEPARATORS.get(kind)
    if separator is None:
        return None
    parts = name.split(separator)
    if len(parts) == 1:
        return own_stream, name
    return (parts[0], parts[1]) if len(parts) == 2 else None


def image_matches(image: str, short_id: str) -> bool:
    """Whether an id is the beginning of the image's name or of its digest."""
    if image.startswith(short_id):
        return True
    return is_digest(image) and image.partition(":")[2].startswith(short_id)


def prioritized(tags: Iterable[str]) -> list[str]:
    """The tags in the order of an import: latest, minor versions, full versions, the rest; newest versions first."""
    return sorted(tags, key=_priority)


def _split_at(name: str) -> tuple[str, str] | None:
    parts = name.split("@")
    return (parts[0], parts[1]) if len(parts) == 2 and all(parts) else None


_LATEST, _MINOR, _FULL, _REST = range(4)
_NUMBER = r"(?:0|[1-9][0-9]*)"
_IDENTIFIERS = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_FULL_VERSION = re.compile(rf"({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-({_IDENTIFIERS}))?(?:\+({_IDENTIFIERS}))?")
_MINOR_VERSION = re.compile(r"([0-9]+\.[0-9]+)(-\w+)?", re.ASCII)
_UINT64_LIMIT = 1 << 64
_Identifier = tuple[int, int, str]


@total_ordering
class _NewestFirst:
    """A version by the rules of semver.org, the other way round. The build part does not count."""

    __slots__ = ("_version",)

    def __init__(self, numbers: tuple[int, ...] = (), prerelease: tuple[_Identifier, ...] | None = None) -> None:
        # A release is newer than its pre-releases.
        self._version = (numbers, prerelease is None, prerelease or ())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _NewestFirst) and self._version == other._version

    def __lt__(self, other: _NewestFirst) -> bool:
        return self._version > other._version

    def __hash__(self) -> int:
        return hash(self._version)


@lru_cache(maxsize=4096)
def _priority(tag: str) -> tuple[int, _NewestFirst, str, str]:
    if tag == DEFAULT_TAG:
        return _LATEST, _NewestFirst(), "", tag
    prefix = "v" if tag.startswith("v") else ""
    short = tag.removeprefix("v")
    version = _version(short)
    if version is not None:
        return _FULL, version, prefix, tag
    minor = _MINOR_VERSION.fullmatch(short)
    version = _version(f"{minor[1]}.0{minor[2] or ''}") if minor else None
    if version is not None:
        return _MINOR, version, prefix, tag
    return _REST, _NewestFirst(), "", tag


def _version(text: str) -> _NewestFirst | None:
    match = _FULL_VERSION.fullmatch(text)
    if match is None:
        return None
    numbers = tuple(int(part) for part in match.groups()[:3])
    if match[4] is None:
        return _NewestFirst(numbers) if max(numbers) < _UINT64_LIMIT else None
    prerelease = tuple(_identifier(part) for part in match[4].split("."))
    if None in prerelease or max(numbers) >= _UINT64_LIMIT:
        return None
    return _NewestFirst(numbers, tuple(identifier for identifier in prerelease if identifier is not None))


def _identifier(text: str) -> _Identifier | None:
    """A part of a pre-release; numbers come before words. None if it is a number that semver does not allow."""
    if not text.isdecimal():
        return 1, 0, text
    if (text.startswith("0") and text != "0") or int(text) >= _UINT64_LIMIT:
        return None
    return 0, int(text), ""
