"""May they: one decision per request, from the compiled policy, with the sentence a refused client reads.

Order: members of system:masters may do everything; the three health paths are open to all; else the policy decides.
Keeps: a decision is never older than the policy in force, for the cache dies with the policy it was filled from.
The cache holds at most DECISIONS_LIMIT decisions. Elsewhere: who asks (`authentication.py`).
Source: spec: kube-api 3 (Forbidden) and 9.3.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import msgspec

from service.api.go_text import quote
from service.auth.errors import ForbiddenPath
from service.auth.rbac import PolicyRule
from service.auth.rbac_index import Attributes, RbacIndex
from service.auth.reloading import Current
from service.auth.users import MASTERS, User
from service.domain.errors import Forbidden, GroupResource

DECISIONS_LIMIT = 8192
CACHED_NAME_LIMIT_CHARACTERS = 512
ALWAYS_ALLOWED_PATHS = frozenset({"/healthz", "/livez", "/readyz"})

_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class Decision(msgspec.Struct, frozen=True):
    allowed: bool
    reason: str = ""


class RulesReview(msgspec.Struct, frozen=True):
    """What a user may do in a namespace, for SelfSubjectRulesReview."""

    resource_rules: list[PolicyRule]
    non_resource_rules: list[PolicyRule]
    evaluation_error: str = ""

    @property
    def incomplete(self) -> bool:
        return bool(self.evaluation_error)


_Decide = Callable[[str, tuple[str, ...], Attributes], Decision]


class Authorizer:
    def __init__(self, policy: Current[RbacIndex]) -> None:
        self._policy = policy
        self._compiled, self._decide = _cached_decisions(policy.value)

    def authorize(self, user: User, asked: Attributes) -> Decision:
        if self._policy.value is not self._compiled:
            self._compiled, self._decide = _cached_decisions(self._policy.value)
        if len(asked.name) + len(asked.path) + len(asked.namespace) > CACHED_NAME_LIMIT_CHARACTERS:
            return _decision(self._compiled, user, asked)
        return self._decide(user.name, user.groups, asked)

    def require(self, user: User, asked: Attributes) -> Decision:
        """The decision where it allows. Raises Forbidden, or ForbiddenPath for what is no resource."""
        decision = self.authorize(user, asked)
        if decision.allowed:
            return decision
        why = refusal(user, asked)
        if decision.reason:
            why = f"{why}: {decision.reason}"
        if asked.resource:
            raise Forbidden(GroupResource(asked.group, asked.resource), asked.name, why)
        raise ForbiddenPath(why)

    def rules_for(self, user: User, namespace: str) -> RulesReview:
        index = self._policy.value
        rules = index.rules(user, namespace)
        return RulesReview(
            [rule for rule in rules if rule.resources],
            [rule for rule in rules if rule.non_resource_urls],
            ", ".join(index.problems(user, namespace)),
        )


def refusal(user: User, asked: Attributes) -> str:
    """Why not, as clients print it: `User "bob" cannot get resource "imagestreams" in API group …`."""
    who = quote(user.name)
    if not asked.resource:
        text = f"User {who} cannot {asked.verb} path {quote(asked.path)}"
    else:
        where = f"in the namespace {quote(asked.namespace)}" if asked.namespace else "at the cluster scope"
        what = f"resource {quote(asked.full_resource)} in API group {quote(asked.group)}"
        text = f"User {who} cannot {asked.verb} {what} {where}"
    return text.translate(_HTML)


def _cached_decisions(index: RbacIndex) -> tuple[RbacIndex, _Decide]:
    @lru_cache(maxsize=DECISIONS_LIMIT)
    def decide(name: str, groups: tuple[str, ...], asked: Attributes) -> Decision:
        return _decision(index, User(name, groups=groups), asked)

    return index, decide


def _decision(index: RbacIndex, user: User, asked: Attributes) -> Decision:
    if MASTERS in user.groups:
        return Decision(True, f"member of {MASTERS}")
    if not asked.resource and asked.path in ALWAYS_ALLOWED_PATHS:
        return Decision(True, "health is open to all")
    reason = index.reason(user, asked)
    if reason is not None:
        return Decision(True, reason)
    problems = index.problems(user, asked.namespace)
    return Decision(False, f"RBAC: {', '.join(problems)}" if problems else "")
