"""Where in a document something was found, and a bounded list of what was found.

Keeps: a place costs nothing until it is printed; the findings of one body are bounded in number and in size, whatever
the body. Source: spec: kube-api 8.2.
"""

from __future__ import annotations

from typing import TypeAlias

FINDINGS_LIMIT = 100
FINDINGS_LIMIT_CHARACTERS = 256 * 1024
"""Paths repeat long keys: a body of 3 MB could otherwise name itself a hundred times."""


Place: TypeAlias = "tuple[Place, str | int, bool] | None"
"""From the root (None) to a value: the place around it, its key or index, whether the key is a field of a Go struct."""


def path_of(place: Place) -> str:
    """`spec.tags[0].name`; the root is ""."""
    steps = []
    while place is not None:
        outer, step, _ = place
        steps.append(f"[{step}]" if isinstance(step, int) else f".{step}")
        place = outer
    return "".join(reversed(steps)).removeprefix(".")


def fields_on_the_way(place: Place) -> str:
    """The way through structs alone, as Go's type errors show it: `spec.tags.name`."""
    names = []
    while place is not None:
        outer, step, is_field = place
        if is_field:
            names.append(str(step))
        place = outer
    return ".".join(reversed(names))


class Findings:
    """The distinct texts in the order they were found, up to the limits."""

    def __init__(self) -> None:
        self._texts: dict[str, None] = {}
        self._characters = 0

    @property
    def full(self) -> bool:
        return len(self._texts) >= FINDINGS_LIMIT or self._characters >= FINDINGS_LIMIT_CHARACTERS

    def add(self, text: str) -> None:
        if not self.full and text not in self._texts:
            self._texts[text] = None
            self._characters += len(text)

    def texts(self) -> list[str]:
        return list(self._texts)
