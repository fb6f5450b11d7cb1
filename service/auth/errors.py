"""What can go wrong while we find out who asks and what they may do.

TagHistoryError
├── Unauthorized      no credentials, or wrong ones
└── ForbiddenPath     a path that is no resource, and no rule allows it
UserError
└── CredentialFileError   a token, RBAC or image policy file that cannot be used

A refused resource is the domain's `Forbidden`, which names it.
"""

from __future__ import annotations

from service.domain.errors import TagHistoryError
from service.runtime.user_error import UserError


class Unauthorized(TagHistoryError):
    """The client learns no more than this; why goes to the log (spec: kube-api 9.1.2)."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


class ForbiddenPath(TagHistoryError):
    def __init__(self, why: str) -> None:
        super().__init__(f"forbidden: {why}")


class CredentialFileError(UserError):
    """`place` is the line, or the document and field, where the file is wrong."""

    def __init__(self, problem: str, place: str = "") -> None:
        super().__init__(f"{place}: {problem}" if place else problem)
