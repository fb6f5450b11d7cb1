"""Sets of field paths, and their algebra.

A path is a tuple of elements, each spelled as it is in FieldsV1: `f:spec`, `k:{"name":"a"}`, `v:"x"`, `i:0`.
Keeps: a FieldSet is never changed once made, so sets share subtrees; no node is empty except a whole set; owning a node
says nothing about its children. Elsewhere: how elements are written and sorted (`path_elements.py`), JSON
(`fields_v1.py`). Source: spec: kube-api 5.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from service.merge.path_elements import Path, sort_key


class FieldSet:
    """A node of a set: whether the path that leads here is in it, and the nodes below."""

    __slots__ = ("children", "member")

    def __init__(self, member: bool = False, children: Mapping[str, FieldSet] | None = None) -> None:
        self.member = member
        self.children: Mapping[str, FieldSet] = children if children is not None else {}

    @staticmethod
    def of(*paths: Path) -> FieldSet:
        return _from_paths(paths)

    def __bool__(self) -> bool:
        return self.member or bool(self.children)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FieldSet):
            return NotImplemented
        return self is other or (self.member == other.member and self.children == other.children)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"FieldSet.of({', '.join(map(repr, self.paths()))})"

    def has(self, path: Path) -> bool:
        node: FieldSet | None = self
        for element in path:
            node = node.children.get(element) if node else None
        return node is not None and node.member

    def paths(self) -> Iterator[Path]:
        """Every path, those that end at a node before those that go on below it, each in element order."""
        return _paths(self, ())

    def union(self, other: FieldSet) -> FieldSet:
        if not other:
            return self
        if not self:
            return other
        children = dict(self.children)
        for element, theirs in other.children.items():
            ours = children.get(element)
            children[element] = theirs if ours is None else ours.union(theirs)
        return FieldSet(self.member or other.member, children)

    def intersection(self, other: FieldSet) -> FieldSet:
        children = {}
        for element, ours in self.children.items():
            theirs = other.children.get(element)
            if theirs is not None and (common := ours.intersection(theirs)):
                children[element] = common
        return FieldSet(self.member and other.member, children)

    def difference(self, other: FieldSet) -> FieldSet:
        """The paths that are not in the other set; children of a path that goes stay."""
        if not other:
            return self
        children = {}
        for element, ours in self.children.items():
            theirs = other.children.get(element)
            rest = ours if theirs is None else ours.difference(theirs)
            if rest:
                children[element] = rest
        return FieldSet(self.member and not other.member, children)


EMPTY = FieldSet()
LEAF = FieldSet(member=True)
"""The node of a path with nothing below it."""


def _from_paths(paths: Iterable[Path]) -> FieldSet:
    member = False
    below: dict[str, list[Path]] = {}
    for path in paths:
        if path:
            below.setdefault(path[0], []).append(path[1:])
        else:
            member = True
    return FieldSet(member, {element: _from_paths(rest) for element, rest in below.items()})


def _paths(node: FieldSet, prefix: Path) -> Iterator[Path]:
    elements = sorted(node.children, key=sort_key)
    for element in elements:
        if node.children[element].member:
            yield (*prefix, element)
    for element in elements:
        yield from _paths(node.children[element], (*prefix, element))
