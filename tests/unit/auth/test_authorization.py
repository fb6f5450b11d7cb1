"""May they: rules, bindings, built-in roles, and the sentence a refused client reads."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.auth.authorization import Authorizer, refusal
from service.auth.builtin_roles import BUILTIN
from service.auth.errors import ForbiddenPath
from service.auth.rbac import Binding, Policy, PolicyRule, Role, Subject, policy
from service.auth.rbac_file import parse_rbac_file
from service.auth.rbac_index import Attributes, RbacIndex
from service.auth.reloading import Fixed
from service.auth.users import ANONYMOUS_USER, User, authenticated
from service.domain.errors import Forbidden

IMAGE = "image.openshift.io"
ANN = authenticated(User("ann", groups=("team",)))


def rule(verbs: str, resources: str, names: str = "", groups: str = IMAGE) -> PolicyRule:
    return PolicyRule(
        tuple(verbs.split(",")), tuple(groups.split(",")), tuple(resources.split(",")), tuple(filter(None, [names]))
    )


def granted(*rules: PolicyRule, namespace: str = "", subject: Subject | None = None) -> Authorizer:
    role = Role("r", rules)
    binding = Binding("b", "r", (subject or Subject("User", "ann"),), namespace)
    return Authorizer(Fixed(RbacIndex(policy([role], [binding]))))


def asks(verb: str, resource: str = "imagestreams", namespace: str = "ns1", name: str = "") -> Attributes:
    resource, _, subresource = resource.partition("/")
    return Attributes(verb, IMAGE, resource, subresource, namespace, name)


@pytest.mark.parametrize(
    ("given_rule", "asked", "allowed"),
    [
        (rule("get", "imagestreams"), asks("get"), True),
        (rule("get", "imagestreams"), asks("list"), False),
        (rule("*", "imagestreams"), asks("watch"), True),
        (rule("get", "imagestreams"), asks("get", "imagestreams/status"), False),
        (rule("get", "imagestreams/status"), asks("get", "imagestreams/status"), True),
        (rule("get", "*/status"), asks("get", "imagestreams/status"), True),
        (rule("get", "*/status"), asks("get", "imagestreams"), False),
        (rule("get", "*"), asks("get", "imagestreams/status"), True),
        (rule("get", "imagestreams", groups="*"), asks("get"), True),
        (rule("get", "imagestreams", groups=""), asks("get"), False),
        (rule("get", "imagestreams", names="a"), asks("get", name="a"), True),
        (rule("get", "imagestreams", names="a"), asks("get", name="b"), False),
        (rule("create", "imagestreams", names="a"), asks("create"), False),
    ],
)
def test_what_a_rule_covers(given_rule: PolicyRule, asked: Attributes, allowed: bool) -> None:
    assert granted(given_rule).authorize(ANN, asked).allowed is allowed


def test_a_role_binding_reaches_no_further_than_its_namespace() -> None:
    authorizer = granted(rule("get", "imagestreams"), namespace="ns1")
    assert authorizer.authorize(ANN, asks("get", namespace="ns1")).allowed
    assert not authorizer.authorize(ANN, asks("get", namespace="ns2")).allowed
    assert not authorizer.authorize(ANN, asks("get", namespace="")).allowed


@pytest.mark.parametrize(
    ("subject", "user"),
    [
        (Subject("Group", "team"), ANN),
        (Subject("ServiceAccount", "robot", "ns9"), User("system:serviceaccount:ns9:robot")),
    ],
)
def test_groups_and_service_accounts_are_subjects(subject: Subject, user: User) -> None:
    decision = granted(rule("get", "imagestreams"), subject=subject).authorize(user, asks("get"))
    assert decision.allowed
    assert 'allowed by ClusterRoleBinding "b" of ClusterRole "r"' in decision.reason
    assert not granted(rule("get", "imagestreams"), subject=subject).authorize(User("team"), asks("get")).allowed


@pytest.mark.parametrize(
    ("pattern", "path", "allowed"),
    [
        ("/metrics", "/metrics", True),
        ("/metrics", "/metrics/slis", False),
        ("/apis/*", "/apis/x/y", True),
        ("/apis/*", "/apis", False),
        ("*", "/anything", True),
    ],
)
def test_paths_match_whole_or_by_prefix(pattern: str, path: str, allowed: bool) -> None:
    authorizer = granted(PolicyRule(("get",), non_resource_urls=(pattern,)))
    assert authorizer.authorize(ANN, Attributes("get", path=path)).allowed is allowed
    assert not authorizer.authorize(ANN, Attributes("post", path=path)).allowed


def test_masters_may_everything_and_health_is_open_to_all() -> None:
    nothing = Authorizer(Fixed(RbacIndex(policy([], []))))
    assert nothing.authorize(User("root", groups=("system:masters",)), asks("deletecollection")).allowed
    assert nothing.authorize(ANONYMOUS_USER, Attributes("get", path="/readyz")).allowed
    assert not nothing.authorize(ANONYMOUS_USER, Attributes("get", path="/readyz/ping")).allowed


def test_a_refusal_names_user_verb_resource_and_place() -> None:
    nothing = Authorizer(Fixed(RbacIndex(policy([], []))))
    with pytest.raises(Forbidden) as refused:
        nothing.require(User("bob"), asks("get", "imagestreams/layers", "ns1", "a"))
    assert refused.value.message == (
        'imagestreams.image.openshift.io "a" is forbidden: User "bob" cannot get resource "imagestreams/layers" '
        'in API group "image.openshift.io" in the namespace "ns1"'
    )
    with pytest.raises(Forbidden) as refused:
        nothing.require(User("bob"), asks("list", namespace=""))
    assert refused.value.message.endswith('in API group "image.openshift.io" at the cluster scope')
    with pytest.raises(ForbiddenPath) as refused_path:
        nothing.require(ANONYMOUS_USER, Attributes("get", path="/apis"))
    assert refused_path.value.message == 'forbidden: User "system:anonymous" cannot get path "/apis"'


def test_a_refusal_cannot_carry_markup() -> None:
    assert refusal(User("<b>&"), Attributes("get", path="/x")) == 'User "&lt;b&gt;&amp;" cannot get path "/x"'


def test_a_binding_to_a_missing_role_says_so_to_whom_it_concerns() -> None:
    dangling = policy([], [Binding("b", "gone", (Subject("User", "ann"),))])
    authorizer = Authorizer(Fixed(RbacIndex(dangling)))
    decision = authorizer.authorize(ANN, asks("get"))
    assert decision.reason == 'RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found'
    assert authorizer.authorize(User("bob"), asks("get")).reason == ""
    assert authorizer.rules_for(ANN, "ns1").incomplete


def test_a_new_policy_ends_what_the_old_one_allowed() -> None:
    """The cache of decisions dies with the policy."""
    source = Fixed(RbacIndex(policy([Role("r", (rule("get", "*"),))], [Binding("b", "r", (Subject("User", "ann"),))])))
    authorizer = Authorizer(source)
    assert authorizer.authorize(ANN, asks("get")).allowed
    source.value = RbacIndex(policy([], []))
    assert not authorizer.authorize(ANN, asks("get")).allowed


def with_builtin(role: str, namespace: str = "ns1") -> Authorizer:
    """Built-in roles, and one of them bound to ann."""
    bound = policy([], [Binding("b", role, (Subject("User", "ann"),), namespace)])
    return Authorizer(Fixed(RbacIndex(BUILTIN.overridden_by(bound))))


@pytest.mark.parametrize(
    ("role", "asked", "allowed"),
    [
        ("view", asks("list", "imagestreamtags"), True),
        ("view", asks("get", "imagestreams/layers"), True),
        ("view", asks("get", "imagestreams/status"), True),
        ("view", asks("get", "imagestreams/secrets"), False),
        ("view", asks("create", "imagestreams"), False),
        ("view", Attributes("watch", "taghistory.io", "tagevents", "", "ns1"), True),
        ("edit", asks("create", "imagestreammappings"), True),
        ("edit", asks("update", "imagestreams/layers"), True),
        ("edit", asks("list", "imagetags"), True),
        ("edit", Attributes("get", "taghistory.io", "tagevents", "", "ns1"), True),
        ("edit", asks("update", "imagestreams/status"), False),
        ("edit", Attributes("create", "", "secrets", "", "ns1"), True),
        ("admin", Attributes("get", "", "secrets", "", "ns1", "pull"), True),
        ("view", Attributes("get", "", "secrets", "", "ns1", "pull"), False),
        ("registry-editor", Attributes("get", "", "secrets", "", "ns1", "pull"), False),
        ("admin", asks("deletecollection", "imagestreams"), True),
        ("admin", asks("create", "imagestreamimports"), True),
        ("admin", Attributes("get", "taghistory.io", "tagevents", "", "ns1"), True),
        ("admin", asks("get", "images", ""), False),
        ("system:image-puller", asks("get", "imagestreams/layers"), True),
        ("system:image-puller", asks("update", "imagestreams/layers"), False),
        ("system:image-pusher", asks("update", "imagestreams/layers"), True),
        ("system:image-builder", asks("create", "imagestreams"), True),
        ("registry-viewer", asks("get", "imagestreams/layers"), True),
        ("registry-editor", asks("create", "imagestreamimports"), True),
    ],
)
def test_built_in_roles(role: str, asked: Attributes, allowed: bool) -> None:
    assert with_builtin(role).authorize(ANN, asked).allowed is allowed


@pytest.mark.parametrize("path", ["/apis", "/apis/image.openshift.io/v1", "/openapi/v3", "/version", "/healthz"])
def test_whoever_is_authenticated_may_discover(path: str) -> None:
    authorizer = Authorizer(Fixed(RbacIndex(BUILTIN)))
    assert authorizer.authorize(ANN, Attributes("get", path=path)).allowed
    assert authorizer.authorize(ANONYMOUS_USER, Attributes("get", path=path)).allowed is (
        path in ("/version", "/healthz")
    )


def test_everyone_authenticated_reads_the_shared_namespace() -> None:
    authorizer = Authorizer(Fixed(RbacIndex(BUILTIN)))
    assert authorizer.authorize(ANN, asks("get", "imagestreams/layers", "openshift")).allowed
    assert not authorizer.authorize(ANONYMOUS_USER, asks("get", "imagestreams", "openshift")).allowed


def test_a_labelled_role_in_the_file_extends_view_and_what_view_is_part_of() -> None:
    extension = parse_rbac_file(
        textwrap.dedent("""
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRole
        metadata: {name: view-images, labels: {rbac.authorization.k8s.io/aggregate-to-view: "true"}}
        rules: [{apiGroups: [image.openshift.io], resources: [images], verbs: [get]}]
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRoleBinding
        metadata: {name: ann}
        subjects: [{kind: User, name: ann}]
        roleRef: {kind: ClusterRole, name: admin}
        """)
    )
    authorizer = Authorizer(Fixed(RbacIndex(BUILTIN.overridden_by(extension))))
    assert authorizer.authorize(ANN, asks("get", "images", "")).allowed


def test_a_role_in_the_file_replaces_the_built_in_one_of_its_name() -> None:
    replaced = BUILTIN.overridden_by(policy([Role("view", (rule("get", "images"),))], []))
    bound = replaced.overridden_by(policy([], [Binding("b", "view", (Subject("User", "ann"),))]))
    authorizer = Authorizer(Fixed(RbacIndex(bound)))
    assert authorizer.authorize(ANN, asks("get", "images", "")).allowed
    assert not authorizer.authorize(ANN, asks("get")).allowed


def test_the_rules_of_a_user_are_those_that_hold_in_the_namespace() -> None:
    review = with_builtin("system:image-puller", "ns1").rules_for(ANN, "ns1")
    assert rule("get", "imagestreams/layers") in review.resource_rules
    assert any("/apis/*" in r.non_resource_urls for r in review.non_resource_rules)
    assert not review.incomplete
    elsewhere = with_builtin("system:image-puller", "ns1").rules_for(ANN, "ns2")
    assert rule("get", "imagestreams/layers") not in elsewhere.resource_rules


def test_roles_that_aggregate_each_other_come_to_an_end() -> None:
    one, two = (r for r in BUILTIN.roles.values() if r.name in ("view", "edit"))
    circle = policy([Role("a", labels=dict(one.labels) | dict(two.labels), aggregates=(one.aggregates or ()) * 2)], [])
    assert circle.rules(circle.roles["", "a"]) == ()


words = st.sampled_from(["a", "b", "c"])
wild = st.sampled_from(["a", "b", "*"])
resources = st.sampled_from(["a", "b", "*", "a/s", "*/s"])
rules = st.builds(
    PolicyRule,
    st.lists(wild, min_size=1, max_size=2).map(tuple),
    st.lists(wild, min_size=1, max_size=2).map(tuple),
    st.lists(resources, min_size=1, max_size=2).map(tuple),
    st.lists(words, max_size=1).map(tuple),
)
questions = st.builds(
    Attributes, words, words, words, st.sampled_from(["", "s"]), st.sampled_from(["", "n"]), st.sampled_from(["", "a"])
)


def covers(r: PolicyRule, asked: Attributes) -> bool:
    """The definition, unoptimised."""
    return (
        any(v in ("*", asked.verb) for v in r.verbs)
        and any(g in ("*", asked.group) for g in r.api_groups)
        and any(
            x in ("*", asked.full_resource) or (bool(asked.subresource) and x == f"*/{asked.subresource}")
            for x in r.resources
        )
        and (not r.resource_names or asked.name in r.resource_names)
    )


@given(st.lists(rules, max_size=4), questions)
def test_the_index_answers_as_the_definition_does(some: list[PolicyRule], asked: Attributes) -> None:
    assert granted(*some).authorize(ANN, asked).allowed is any(covers(r, asked) for r in some)


def test_an_absurdly_long_name_is_decided_but_not_remembered() -> None:
    authorizer = granted(rule("get", "imagestreams", names="x" * 5000))
    assert authorizer.authorize(ANN, asks("get", name="x" * 5000)).allowed


def test_every_built_in_binding_names_a_role_there_is() -> None:
    builtin: Policy = BUILTIN
    assert all((b.role_namespace, b.role) in builtin.roles for b in builtin.bindings.values())
