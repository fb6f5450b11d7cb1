"""What can be wrong with a patch, in the words of the wire. The caller gives each class its place in the error tree.

Keeps: a message is the reference's sentence, ready to be shown. Source: spec: kube-api 5.2, 5.3, 5.4.
"""

from __future__ import annotations

from typing import NamedTuple


class MergeError(Exception):
    """The root: what the author of a patch got wrong."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class PatchSyntaxError(MergeError):
    """The patch itself makes no sense, whatever it is applied to: a bad request."""


class PatchFailed(MergeError):
    """The patch does not fit the document. Clients are not told why; `reason` is for our logs."""

    def __init__(self, reason: str) -> None:
        super().__init__("the server rejected our request due to an error in our request")
        self.reason = reason


class PatchTooLarge(MergeError):
    def __init__(self, limit: int, got: int) -> None:
        super().__init__(f"The allowed maximum operations in a JSON patch is {limit}, got {got}")
        self.limit = limit
        self.got = got


class StrategicPatchError(MergeError):
    """A strategic merge patch at odds with the schema or with the document: an error without a reason."""


class TypedPatchError(MergeError):
    """An applied configuration at odds with the schema: an error without a reason."""


class Conflict(NamedTuple):
    """A field that another manager owns, and that an apply wants to have otherwise."""

    manager: str
    """As messages print it: the quoted name, then subresource and version where they matter."""
    path: str


class ApplyConflicts(MergeError):
    """Server-side apply met fields of other managers, and was not told to force."""

    def __init__(self, conflicts: list[Conflict]) -> None:
        super().__init__(_conflict_message(conflicts))
        self.conflicts = conflicts

    @property
    def causes(self) -> list[tuple[str, str]]:
        """The (message, field path) of each conflict."""
        return [(f"conflict with {manager}", path) for manager, path in self.conflicts]


def _conflict_message(conflicts: list[Conflict]) -> str:
    if len(conflicts) == 1:
        manager, path = conflicts[0]
        return f"Apply failed with 1 conflict: conflict with {manager}: {path}"
    paths_of: dict[str, list[str]] = {}
    for manager, path in conflicts:
        paths_of.setdefault(manager, []).append(path)
    lines = []
    for manager, paths in paths_of.items():
        lines.append(f"conflicts with {manager}:")
        lines += [f"- {path}" for path in paths]
    return f"Apply failed with {len(conflicts)} conflicts: " + "\n".join(lines)
