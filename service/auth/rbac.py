"""The words of role based access control: rules, roles, bindings, and a policy made of them.

Keeps: a policy is a value; later objects override earlier ones of the same name, and a role that aggregates others has
exactly the rules of those its selectors pick, however deep. Elsewhere: where policies come from (`rbac_file.py`,
`builtin_roles.py`) and how one question is answered fast (`rbac_index.py`).
Source: spec: kube-api 9.3.4.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from service.domain.label_requirements import LabelSelector

RBAC_GROUP = "rbac.authorization.k8s.io"
ANY = "*"


class PolicyRule(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """Either resources (of groups, perhaps only some names) or paths that are no resources; never both."""

    verbs: tuple[str, ...] = ()
    api_groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()
    non_resource_urls: tuple[str, ...] = msgspec.field(default=(), name="nonResourceURLs")


class Subject(msgspec.Struct, frozen=True):
    kind: str
    """User, Group or ServiceAccount"""
    name: str
    namespace: str = ""


class Role(msgspec.Struct, frozen=True):
    """A ClusterRole, or with a namespace a Role."""

    name: str
    rules: tuple[PolicyRule, ...] = ()
    namespace: str = ""
    labels: dict[str, str] = {}
    aggregates: tuple[LabelSelector, ...] | None = None
    """The ClusterRoles whose rules this one has, any selector sufficing; None for a role with rules of its own."""


class Binding(msgspec.Struct, frozen=True):
    """A ClusterRoleBinding, or with a namespace a RoleBinding. `role_namespace` is "" where it names a ClusterRole."""

    name: str
    role: str
    subjects: tuple[Subject, ...]
    namespace: str = ""
    role_namespace: str = ""

    def __str__(self) -> str:
        return f'RoleBinding "{self.name}/{self.namespace}"' if self.namespace else f'ClusterRoleBinding "{self.name}"'


_Key = tuple[str, str]
"""namespace ("" for the cluster's own) and name"""


class Policy(msgspec.Struct, frozen=True):
    roles: dict[_Key, Role]
    bindings: dict[_Key, Binding]

    def overridden_by(self, other: Policy) -> Policy:
        return Policy({**self.roles, **other.roles}, {**self.bindings, **other.bindings})

    def rules(self, role: Role) -> tuple[PolicyRule, ...]:
        """The rules a role comes to, aggregation followed."""
        if role.aggregates is None:
            return role.rules
        found: dict[str, Role] = {}
        self._collect(role, found)
        return tuple(dict.fromkeys(rule for part in found.values() if part.aggregates is None for rule in part.rules))

    def _collect(self, role: Role, found: dict[str, Role]) -> None:
        """Every ClusterRole reached from `role`; each is entered once, so a circle ends."""
        for other in self.roles.values():
            picked = any(selector.matches(other.labels) for selector in role.aggregates or ())
            if picked and not other.namespace and other.name not in found:
                found[other.name] = other
                self._collect(other, found)


def policy(roles: Iterable[Role], bindings: Iterable[Binding]) -> Policy:
    return Policy({(r.namespace, r.name): r for r in roles}, {(b.namespace, b.name): b for b in bindings})
