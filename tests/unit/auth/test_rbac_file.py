"""The RBAC file: Kubernetes' own objects, taken whole or refused by name."""

from __future__ import annotations

import pytest

from service.auth.errors import CredentialFileError
from service.auth.rbac import PolicyRule, Subject
from service.auth.rbac_file import parse_rbac_file

ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: everything, creationTimestamp: 2026-01-01T00:00:00Z, annotations: {a: b}}
rules:
- {apiGroups: ["*"], resources: ["*"], verbs: ["*"]}
- {nonResourceURLs: ["*"], verbs: ["*"]}
"""
BINDING_LIST = """
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBindingList
items:
- {metadata: {name: dev, namespace: ns1}, subjects: [{kind: User, name: dev}], roleRef: {kind: ClusterRole, name: x}}
- metadata: {name: dev, namespace: ns2}
  subjects: [{kind: ServiceAccount, name: robot, namespace: ns9}]
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: y}
"""


def test_documents_and_lists_make_one_policy() -> None:
    policy = parse_rbac_file(f"{ROLE}\n---\n---{BINDING_LIST}")
    assert policy.roles["", "everything"].rules == (
        PolicyRule(("*",), ("*",), ("*",)),
        PolicyRule(("*",), non_resource_urls=("*",)),
    )
    assert policy.bindings["ns1", "dev"].subjects == (Subject("User", "dev"),)
    assert policy.bindings["ns1", "dev"].role_namespace == ""
    assert policy.bindings["ns2", "dev"].subjects == (Subject("ServiceAccount", "robot", "ns9"),)
    assert policy.bindings["ns2", "dev"].role_namespace == "ns2"


def test_what_kubectl_get_prints_is_a_file() -> None:
    """`kubectl get clusterroles,rolebindings -o yaml` wraps everything into one List."""
    indented = "".join(f"  {line}\n" for line in ROLE.strip().splitlines())
    policy = parse_rbac_file(f"apiVersion: v1\nkind: List\nmetadata: {{resourceVersion: ''}}\nitems:\n-\n{indented}")
    assert ("", "everything") in policy.roles


def test_an_aggregating_role_has_its_selectors() -> None:
    policy = parse_rbac_file(
        """
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRole
        metadata: {name: sum}
        aggregationRule:
          clusterRoleSelectors:
          - matchLabels: {to-sum: "yes"}
            matchExpressions: [{key: not-me, operator: DoesNotExist}]
        """
    )
    (selector,) = policy.roles["", "sum"].aggregates or ()
    assert selector.matches({"to-sum": "yes"})
    assert not selector.matches({"to-sum": "yes", "not-me": ""})


HEAD = "apiVersion: rbac.authorization.k8s.io/v1\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- a", "document 1: is not an object"),
        ("kind: Pod\napiVersion: v1", 'document 1: "Pod" of "v1" is not one of'),
        (f"{ROLE}---\n{ROLE}", 'document 2: metadata.name: ClusterRole "everything" is defined twice'),
        (f"{HEAD}kind: Role\nmetadata: {{name: a}}", "document 1: metadata.namespace: a Role needs a namespace"),
        (f"{HEAD}kind: ClusterRole\nmetadata: {{}}", "document 1: metadata: Object missing required field `name`"),
        (
            f"{HEAD}kind: ClusterRole\nmetadata: {{name: a}}\nrules: [{{verbs: get}}]",
            "document 1: rules[0].verbs: Expected `array`, got `str`",
        ),
        (
            f"{HEAD}kind: ClusterRole\nmetadata: {{name: a}}\nrules: [{{verbs: [get], resource: [x]}}]",
            "document 1: rules[0]: Object contains unknown field `resource`",
        ),
        (
            f"{HEAD}kind: ClusterRole\nmetadata: {{name: a}}\nrules: [{{apiGroups: ['']}}]",
            "document 1: rules[0]: verbs must contain at least one value",
        ),
        (
            f"{HEAD}kind: ClusterRole\nmetadata: {{name: a}}\nrules: [{{verbs: [get], resources: [x]}}]",
            "document 1: rules[0]: resource rules must supply at least one api group",
        ),
        (
            f"{HEAD}kind: ClusterRole\nmetadata: {{name: a}}\nrules: [{{verbs: [get], nonResourceURLs: [healthz]}}]",
            'document 1: rules[0]: "healthz" must start with / or be *',
        ),
        (
            f"{HEAD}kind: Role\nmetadata: {{name: a, namespace: b}}\nrules: [{{verbs: [get], nonResourceURLs: [/x]}}]",
            "document 1: rules[0]: namespaced rules cannot apply to non-resource URLs",
        ),
        (
            f"{HEAD}kind: ClusterRoleBinding\nmetadata: {{name: a}}\nroleRef: {{kind: Role, name: x}}",
            "document 1: roleRef.kind: a ClusterRoleBinding can only name a ClusterRole",
        ),
        (
            f"{HEAD}kind: ClusterRoleBinding\nmetadata: {{name: a}}\nroleRef: {{kind: ClusterRole, name: x}}\n"
            "subjects: [{kind: Robot, name: r}]",
            'document 1: subjects[0].kind: "Robot" is not one of User, Group, ServiceAccount',
        ),
        (
            f"{HEAD}kind: RoleBindingList\nitems: [{{metadata: {{name: a, namespace: b}}}}]",
            "document 1: items[0]: Object missing required field `roleRef`",
        ),
        (
            f"{HEAD}kind: ClusterRole\nmetadata: {{name: a}}\naggregationRule:\n  clusterRoleSelectors:\n"
            "  - matchExpressions: [{key: a, operator: Near}]",
            'document 1: aggregationRule.clusterRoleSelectors[0]: "Near" is not a valid label selector operator',
        ),
        ("a: [", "while parsing a flow node"),
    ],
)
def test_a_mistake_is_named_by_document_and_field(text: str, problem: str) -> None:
    with pytest.raises(CredentialFileError) as wrong:
        parse_rbac_file(text)
    assert str(wrong.value).startswith(problem)
