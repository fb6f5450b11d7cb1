"""Names in byte order, kept so while they come and go: a list never sorts.

Keeps: the order of Python strings, by code point, is the byte order of their UTF-8 form, the order of storage keys.
Names lie in pages of bounded length, so that one more among a million moves a few kilobytes of memory and no more.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

PAGE_LIMIT_NAMES = 1024


class SortedNames:
    def __init__(self, names: Iterable[str] = ()) -> None:
        """Sorts once; `names` are distinct."""
        ordered = sorted(names)
        half = PAGE_LIMIT_NAMES // 2
        self._pages = [ordered[i : i + half] for i in range(0, len(ordered), half)]
        self._last = [page[-1] for page in self._pages]
        self._count = len(ordered)

    def __len__(self) -> int:
        return self._count

    def add(self, name: str) -> None:
        """The name must be new."""
        if not self._pages:
            self._pages, self._last, self._count = [[name]], [name], 1
            return
        at = min(bisect_left(self._last, name), len(self._pages) - 1)
        page = self._pages[at]
        page.insert(bisect_left(page, name), name)
        self._last[at] = page[-1]
        self._count += 1
        if len(page) > PAGE_LIMIT_NAMES:
            half = len(page) // 2
            self._pages[at : at + 1] = [page[:half], page[half:]]
            self._last[at : at + 1] = [page[half - 1], page[-1]]

    def remove(self, name: str) -> None:
        """Raises KeyError if the name is not there."""
        at = bisect_left(self._last, name)
        page = self._pages[at] if at < len(self._pages) else []
        inside = bisect_left(page, name)
        if inside == len(page) or page[inside] != name:
            raise KeyError(name)
        del page[inside]
        self._count -= 1
        if page:
            self._last[at] = page[-1]
        else:
            del self._pages[at], self._last[at]

    def after(self, name: str | None = None) -> Iterator[str]:
        """Those behind `name`, which need not be there; all, if None. Nothing may be added or removed meanwhile."""
        start, inside = self._place_after(name)
        for at in range(start, len(self._pages)):
            page = self._pages[at]
            yield from page[inside:] if inside else page
            inside = 0

    def count_after(self, name: str | None = None) -> int:
        start, inside = self._place_after(name)
        return sum(len(page) for page in self._pages[start:]) - inside

    def _place_after(self, name: str | None) -> tuple[int, int]:
        """Page and index of the first name behind `name`."""
        if name is None:
            return 0, 0
        at = bisect_right(self._last, name)
        return (at, bisect_right(self._pages[at], name)) if at < len(self._pages) else (at, 0)
