"""A tag's history, newest first, as an immutable chain: adding a move costs the same after 10 moves or 10,000.

Keeps: a History never changes once made, so old and new states share all they have in common.
Elsewhere: which moves are added and which are folded into the newest entry (`imagestream.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from service.domain.events import Item


class History(NamedTuple):
    """A tuple, because chains of tuples are freed without deep recursion."""

    head: Item
    rest: History | None
    length: int

    def items(self) -> Iterator[Item]:
        """The entries, newest first."""
        node: History | None = self
        while node is not None:
            yield node.head
            node = node.rest

    def prepend(self, item: Item) -> History:
        return History(item, self, self.length + 1)

    def with_head(self, item: Item) -> History:
        return History(item, self.rest, self.length)


def history_of(items: Sequence[Item]) -> History | None:
    """A history from its entries, newest first."""
    history: History | None = None
    for item in reversed(items):
        history = History(item, history, 1 if history is None else history.length + 1)
    return history
