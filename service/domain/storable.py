"""What the log and the views can hold as a name: PostgreSQL has no NUL in a text, and no index entry of any length.

Keeps: whatever becomes a key or a column of its own is checked before it is decided on, so no command is refused by
the database, and no projection meets an event it cannot write. Texts inside documents may hold anything.
The reference, whose store takes any bytes, refuses neither: a deviation (docs/reference/deviations.md).
"""

from __future__ import annotations

from service.domain.field_errors import FieldError, invalid, too_long

KEY_LIMIT_BYTES = 1024
"""An index entry may have 2,704 bytes and holds the namespace and the name of a stream beside a tag; a registry's own
tags have 128 at most."""


def validate_key(text: str, field: str) -> list[FieldError]:
    """What is wrong with the name of a tag or of an image, whatever else its own rules say."""
    if "\0" in text:
        return [invalid(field, text, "may not contain NUL characters")]
    if len(text.encode()) > KEY_LIMIT_BYTES:
        return [too_long(field, KEY_LIMIT_BYTES)]
    return []
