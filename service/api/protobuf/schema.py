"""What `messages.py` is written in: the fields of a message, in the order of their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec


class Field(msgspec.Struct, frozen=True):
    number: int
    name: str
    """as in JSON"""
    type: str
    """A scalar of protobuf, or a message."""
    repeated: bool = False
    map: bool = False
    """From strings to `type`."""
    pointer: bool = False
    """Left out when it is not set; other fields are written all the same (`options.proto`)."""
    inline: bool = False
    """In JSON the fields of the message stand in the object around it."""


Messages = Mapping[str, Sequence[Field]]
