"""A policy, compiled so that one question costs a few dictionary lookups, whatever the number of roles and bindings.

For each subject and each namespace ("" for the whole cluster) stands what it was granted: by (verb, group, resource)
for resources, by verb for paths. Keeps: granting is purely additive, so the first grant found is the answer.
Elsewhere: masters, health paths and the cache in front (`authorization.py`). Source: spec: kube-api 9.3.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import msgspec

from service.auth.rbac import ANY, RBAC_GROUP, Binding, Policy, PolicyRule, Subject
from service.auth.users import User, service_account_name


class Attributes(msgspec.Struct, frozen=True):
    """What a request is about to do: a verb on a resource, or where `resource` is empty on a path."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


class _Grant(msgspec.Struct, frozen=True):
    names: frozenset[str] | None
    """None grants every name, the absent one included."""
    reason: str


class _Granted:
    """What one subject may do in one namespace, or everywhere."""

    def __init__(self) -> None:
        self.resources: dict[tuple[str, str, str], list[_Grant]] = {}
        self.paths: dict[str, list[tuple[str, str]]] = {}
        self.rules: list[PolicyRule] = []
        self.problems: list[str] = []

    def add(self, rule: PolicyRule, reason: str) -> None:
        self.rules.append(rule)
        grant = _Grant(frozenset(rule.resource_names) or None, reason)
        for key in product(rule.verbs, rule.api_groups, rule.resources):
            self.resources.setdefault(key, []).append(grant)
        for verb, pattern in product(rule.verbs, rule.non_resource_urls):
            self.paths.setdefault(verb, []).append((pattern, reason))

    def reason_for_resource(self, asked: Attributes) -> str | None:
        resources = [asked.full_resource, ANY]
        if asked.subresource:
            resources.append(f"{ANY}/{asked.subresource}")
        for key in product((asked.verb, ANY), (asked.group, ANY), resources):
            for grant in self.resources.get(key, ()):
                if grant.names is None or asked.name in grant.names:
                    return grant.reason
        return None

    def reason_for_path(self, asked: Attributes) -> str | None:
        for verb in (asked.verb, ANY):
            for pattern, reason in self.paths.get(verb, ()):
                if pattern == asked.path or (pattern.endswith(ANY) and asked.path.startswith(pattern[:-1])):
                    return reason
        return None


class RbacIndex:
    def __init__(self, policy: Policy) -> None:
        self._granted: dict[str, dict[str, _Granted]] = {}
        for binding in policy.bindings.values():
            self._add(policy, binding)

    def reason(self, user: User, asked: Attributes) -> str | None:
        """Why the user may, or None where nothing says so."""
        for granted in self._of(user, asked.namespace):
            found = granted.reason_for_resource(asked) if asked.resource else granted.reason_for_path(asked)
            if found is not None:
                return found
        return None

    def rules(self, user: User, namespace: str) -> list[PolicyRule]:
        return list(dict.fromkeys(rule for granted in self._of(user, namespace) for rule in granted.rules))

    def problems(self, user: User, namespace: str) -> list[str]:
        """Bindings of this user that name a role there is none of."""
        return list(dict.fromkeys(problem for granted in self._of(user, namespace) for problem in granted.problems))

    def _of(self, user: User, namespace: str) -> Iterator[_Granted]:
        for subject in (f"User {user.name}", *(f"Group {group}" for group in user.groups)):
            places = self._granted.get(subject)
            if places is None:
                continue
            if "" in places:
                yield places[""]
            if namespace and namespace in places:
                yield places[namespace]

    def _add(self, policy: Policy, binding: Binding) -> None:
        role = policy.roles.get((binding.role_namespace, binding.role))
        kind = "Role" if binding.role_namespace else "ClusterRole"
        for subject in binding.subjects:
            granted = self._granted.setdefault(_key(subject), {}).setdefault(binding.namespace, _Granted())
            if role is None:
                granted.problems.append(f'{kind.lower()}.{RBAC_GROUP} "{binding.role}" not found')
                continue
            reason = f'RBAC: allowed by {binding} of {kind} "{binding.role}" to {_described(subject)}'
            for rule in policy.rules(role):
                granted.add(rule, reason)


def _key(subject: Subject) -> str:
    if subject.kind == "ServiceAccount":
        return f"User {service_account_name(subject.namespace, subject.name)}"
    return f"{subject.kind} {subject.name}"


def _described(subject: Subject) -> str:
    if subject.kind == "ServiceAccount":
        return f'ServiceAccount "{subject.name}/{subject.namespace}"'
    return f'{subject.kind} "{subject.name}"'
