"""The RBAC file: rbac.authorization.k8s.io/v1 objects in as many YAML documents as one likes.

Roles, ClusterRoles, RoleBindings and ClusterRoleBindings, alone or in lists (the items of a RoleBindingList need no
kind of their own). Keeps: a file is taken whole or not at all, and a mistake is named by document and field; a field
we do not know is a mistake, for a mistyped rule must not pass as no rule.
Elsewhere: what the objects mean (`rbac.py`), the objects that are always there (`builtin_roles.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import yaml

from service.api.json_types import Json, JsonObject
from service.auth.errors import CredentialFileError
from service.auth.rbac import ANY, RBAC_GROUP, Binding, Policy, PolicyRule, Role, Subject
from service.domain.label_requirements import LabelSelector, Operator, Requirement, requirement

API_VERSION = f"{RBAC_GROUP}/v1"
KINDS = ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
_LISTS = {f"{kind}List": kind for kind in KINDS}
_SELECTOR_OPERATORS = {
    "In": Operator.IN,
    "NotIn": Operator.NOT_IN,
    "Exists": Operator.EXISTS,
    "DoesNotExist": Operator.NOT_EXISTS,
}


class _Document(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    pass


class _Metadata(msgspec.Struct, frozen=True):
    """Of an object's metadata only this much matters here; the rest may be there."""

    name: str
    namespace: str = ""
    labels: dict[str, str] | None = None


class _Expression(_Document):
    key: str
    operator: str
    values: tuple[str, ...] | None = None


class _Selector(_Document):
    match_labels: dict[str, str] | None = None
    match_expressions: tuple[_Expression, ...] | None = None


class _AggregationRule(_Document):
    cluster_role_selectors: tuple[_Selector, ...]


class _Role(_Document):
    metadata: _Metadata
    kind: str = ""
    api_version: str = API_VERSION
    rules: tuple[PolicyRule, ...] | None = None
    aggregation_rule: _AggregationRule | None = None


class _Subject(_Document):
    kind: str
    name: str
    api_group: str = ""
    namespace: str = ""


class _RoleRef(_Document):
    kind: str
    name: str
    api_group: str = RBAC_GROUP


class _Binding(_Document):
    metadata: _Metadata
    role_ref: _RoleRef
    kind: str = ""
    api_version: str = API_VERSION
    subjects: tuple[_Subject, ...] | None = None


def parse_rbac_file(text: str) -> Policy:
    """Raises CredentialFileError naming the document and the field."""
    policy = Policy({}, {})
    for place, kind, document in _objects(text):
        try:
            _add(policy, kind, document)
        except CredentialFileError as wrong:
            raise CredentialFileError(str(wrong), place) from None
        except msgspec.ValidationError as wrong:
            problem, _, path = str(wrong).partition(" - at `")
            field = path.rstrip("`").removeprefix("$").lstrip(".")
            raise CredentialFileError(problem, f"{place}: {field}" if field else place) from None
    return policy


def _objects(text: str) -> Iterator[tuple[str, str, JsonObject]]:
    """Each object with where it stands and its kind, lists taken apart."""
    try:
        for number, document in enumerate(yaml.safe_load_all(text), start=1):
            if document is not None:
                yield from _unlisted(f"document {number}", document, "", API_VERSION)
    except yaml.YAMLError as wrong:
        raise CredentialFileError(" ".join(str(wrong).split())) from None


def _unlisted(place: str, document: Any, kind: str, api_version: str) -> Iterator[tuple[str, str, JsonObject]]:
    if not isinstance(document, dict):
        raise CredentialFileError("is not an object", place)
    kind = str(document.get("kind", kind))
    version = str(document.get("apiVersion", api_version))
    item_kind, item_version = ("", API_VERSION) if kind == "List" else (_LISTS.get(kind), version)
    if item_kind is None:
        if version != API_VERSION or kind not in KINDS:
            raise CredentialFileError(
                f'"{kind}" of "{version}" is not one of {", ".join(KINDS)} of {API_VERSION}', place
            )
        yield place, kind, document
        return
    items: Json = document.get("items") or []
    if not isinstance(items, list):
        raise CredentialFileError("is not a list", f"{place}: items")
    for i, item in enumerate(items):
        yield from _unlisted(f"{place}: items[{i}]", item, item_kind, item_version)


def _add(policy: Policy, kind: str, document: JsonObject) -> None:
    if kind.endswith("Binding"):
        binding = _binding(msgspec.convert(document, _Binding), kind)
        _once(policy.bindings, (binding.namespace, binding.name), binding, kind)
    else:
        role = _role(msgspec.convert(document, _Role), kind)
        _once(policy.roles, (role.namespace, role.name), role, kind)


def _once(objects: dict[tuple[str, str], Any], key: tuple[str, str], value: Role | Binding, kind: str) -> None:
    if key in objects:
        raise CredentialFileError(f'{kind} "{value.name}" is defined twice', "metadata.name")
    objects[key] = value


def _namespace(metadata: _Metadata, kind: str) -> str:
    if kind.startswith("Cluster"):
        return ""
    if not metadata.namespace:
        raise CredentialFileError(f"a {kind} needs a namespace", "metadata.namespace")
    return metadata.namespace


def _role(document: _Role, kind: str) -> Role:
    namespace = _namespace(document.metadata, kind)
    for i, rule in enumerate(document.rules or ()):
        if problem := _rule_problem(rule, namespace):
            raise CredentialFileError(problem, f"rules[{i}]")
    aggregates = None
    if document.aggregation_rule is not None:
        if namespace:
            raise CredentialFileError("only a ClusterRole aggregates", "aggregationRule")
        aggregates = tuple(
            _selector(selector, f"aggregationRule.clusterRoleSelectors[{i}]")
            for i, selector in enumerate(document.aggregation_rule.cluster_role_selectors)
        )
    metadata = document.metadata
    return Role(metadata.name, document.rules or (), namespace, metadata.labels or {}, aggregates)


def _rule_problem(rule: PolicyRule, namespace: str) -> str:
    if not rule.verbs:
        return "verbs must contain at least one value"
    if rule.non_resource_urls:
        if namespace:
            return "namespaced rules cannot apply to non-resource URLs"
        if rule.api_groups or rule.resources or rule.resource_names:
            return "rules cannot apply to both regular resources and non-resource URLs"
        unanchored = [url for url in rule.non_resource_urls if not url.startswith("/") and url != ANY]
        return f'"{unanchored[0]}" must start with / or be *' if unanchored else ""
    if not rule.api_groups:
        return "resource rules must supply at least one api group"
    return "" if rule.resources else "resource rules must supply at least one resource"


def _selector(selector: _Selector, place: str) -> LabelSelector:
    requirements: list[Requirement] = []
    try:
        for key, value in (selector.match_labels or {}).items():
            requirements.append(requirement(key, Operator.IN, (value,)))
        for expression in selector.match_expressions or ():
            operator = _SELECTOR_OPERATORS.get(expression.operator)
            if operator is None:
                raise CredentialFileError(f'"{expression.operator}" is not a valid label selector operator', place)
            requirements.append(requirement(expression.key, operator, expression.values or ()))
    except ValueError as wrong:
        raise CredentialFileError(str(wrong), place) from None
    return LabelSelector(tuple(requirements))


def _binding(document: _Binding, kind: str) -> Binding:
    namespace = _namespace(document.metadata, kind)
    ref = document.role_ref
    if ref.api_group != RBAC_GROUP or ref.kind not in ("ClusterRole", "Role"):
        raise CredentialFileError(f'"{ref.kind}" of "{ref.api_group}" is no role', "roleRef")
    if ref.kind == "Role" and not namespace:
        raise CredentialFileError("a ClusterRoleBinding can only name a ClusterRole", "roleRef.kind")
    subjects = tuple(_subject(subject, f"subjects[{i}]") for i, subject in enumerate(document.subjects or ()))
    role_namespace = namespace if ref.kind == "Role" else ""
    return Binding(document.metadata.name, ref.name, subjects, namespace, role_namespace)


def _subject(subject: _Subject, place: str) -> Subject:
    if subject.kind not in ("User", "Group", "ServiceAccount"):
        raise CredentialFileError(f'"{subject.kind}" is not one of User, Group, ServiceAccount', f"{place}.kind")
    if subject.kind == "ServiceAccount" and not subject.namespace:
        raise CredentialFileError("a ServiceAccount needs a namespace", f"{place}.namespace")
    return Subject(subject.kind, subject.name, subject.namespace if subject.kind == "ServiceAccount" else "")
