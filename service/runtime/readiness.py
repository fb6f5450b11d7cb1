"""How a role process tells the one that started it that it is ready: a word on an inherited descriptor."""

from __future__ import annotations

import os

WORD = b"ready\n"


def tell_ready(descriptor: int | None) -> None:
    """Tell, and close the descriptor; nothing where nobody asked."""
    if descriptor is not None:
        os.write(descriptor, WORD)
        os.close(descriptor)
