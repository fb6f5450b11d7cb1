"""Ranges of keys (namespace, name) in the order of every list: byte by byte, the namespace first.

A tag's name is STREAM:TAG here, as in its object; no name of a stream holds a colon.
Invariant: a range is half open, so that a page begins where the last one ended.
"""

from __future__ import annotations

from typing import NamedTuple

BEHIND_EVERY_NAME = "\U0010ffff"


class KeyRange(NamedTuple):
    """From the first key on, up to but not including the second."""

    from_namespace: str
    from_name: str
    to_namespace: str
    to_name: str

    def after(self, key: tuple[str, str] | None) -> KeyRange:
        """What is left of the range behind a key; all of it for None."""
        if key is None:
            return self
        start = max((self.from_namespace, self.from_name), (key[0], _next(key[1])))
        return KeyRange(*start, self.to_namespace, self.to_name)


def in_namespace(namespace: str | None) -> KeyRange:
    """Everything in a namespace; everything there is for None."""
    if namespace is None:
        return KeyRange("", "", BEHIND_EVERY_NAME, "")
    return KeyRange(namespace, "", _next(namespace), "")


def one_object(namespace: str, name: str) -> KeyRange:
    return KeyRange(namespace, name, namespace, _next(name))


def tags_of(namespace: str, stream: str) -> KeyRange:
    """The tags of an image stream."""
    return KeyRange(namespace, f"{stream}:", namespace, f"{stream};")


def _next(text: str) -> str:
    """The least text behind this one; PostgreSQL knows no NUL."""
    return f"{text}\x01"
