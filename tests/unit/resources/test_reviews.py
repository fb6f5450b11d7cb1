"""Who am I, may I, may they: the answers are those of the authorizer, for the user who is asked about."""

from __future__ import annotations

import pytest

from service.api.authentication_v1 import SelfSubjectReview
from service.api.authorization_v1 import (
    LocalSubjectAccessReview,
    NonResourceAttributes,
    ResourceAttributes,
    SelfSubjectAccessReview,
    SelfSubjectAccessReviewSpec,
    SelfSubjectRulesReview,
    SelfSubjectRulesReviewSpec,
    SubjectAccessReview,
    SubjectAccessReviewSpec,
)
from service.api.meta_v1 import ObjectMeta
from service.auth.authorization import Authorizer
from service.auth.rbac import Binding, PolicyRule, Role, Subject, policy
from service.auth.rbac_index import RbacIndex
from service.auth.reloading import Fixed
from service.auth.users import User
from service.domain.errors import BadRequest, Invalid
from service.eventstore.records import Metadata
from service.resources.resource import Call
from service.resources.reviews import (
    LocalSubjectAccessReviews,
    SelfSubjectAccessReviews,
    SelfSubjectReviews,
    SelfSubjectRulesReviews,
    SubjectAccessReviews,
)

GROUP = "image.openshift.io"
RULES = (
    PolicyRule(("get", "list"), (GROUP,), ("imagestreams",), ("a",)),
    PolicyRule(("get",), non_resource_urls=("/healthz/*",)),
)
AUTHORIZER = Authorizer(
    Fixed(
        RbacIndex(
            policy(
                [Role("r", RULES), Role("all", (PolicyRule(("*",), ("*",), ("*",)),))],
                [
                    Binding("b", "r", (Subject("User", "ann"),), "ns"),
                    Binding("w", "r", (Subject("Group", "watchdogs"),)),
                    Binding("all", "all", (Subject("User", "root"),)),
                    Binding("lost", "nowhere", (Subject("User", "eve"),)),
                ],
            )
        )
    )
)
GET_A = ResourceAttributes(namespace="ns", verb="get", group=GROUP, version="v1", resource="imagestreams", name="a")


def call(user: str = "ann", namespace: str = "") -> Call:
    who = User(user, "u-7", ("system:authenticated",), {"scope": ("one", "two")})
    return Call(user=who, namespace=namespace, now="2026-01-01T00:00:00Z", metadata=Metadata(actor=user))


def subject_review(
    what: ResourceAttributes | None, user: str = "", groups: tuple[str, ...] = (), path: str = ""
) -> SubjectAccessReview:
    spec = SubjectAccessReviewSpec(resource_attributes=what, user=user, groups=list(groups))
    spec.non_resource_attributes = NonResourceAttributes(path, "get") if path else None
    return SubjectAccessReview(spec=spec)


async def test_who_am_i() -> None:
    """What the client put into the review is of no interest."""
    sent = SelfSubjectReview(metadata=ObjectMeta(name="mine", labels={"a": "b"}))
    review = await SelfSubjectReviews().create(call(), sent)
    info = review.status.user_info
    assert (info.username, info.uid, info.groups) == ("ann", "u-7", ["system:authenticated"])
    assert info.extra == {"scope": ["one", "two"]}
    assert review.metadata == ObjectMeta(creation_timestamp="2026-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("user", "what", "path", "allowed"),
    [
        ("ann", GET_A, "", True),
        ("bob", GET_A, "", False),
        (
            "ann",
            ResourceAttributes(namespace="other", verb="get", group=GROUP, resource="imagestreams", name="a"),
            "",
            False,
        ),
        ("ann", ResourceAttributes(namespace="ns", verb="get", group=GROUP, resource="imagestreams"), "", False),
        ("ann", None, "/healthz", True),
        ("ann", None, "/metrics", False),
        ("root", ResourceAttributes(verb="*", group="*", resource="*"), "", True),
        ("root", ResourceAttributes(verb="get"), "", True),
        ("ann", ResourceAttributes(namespace="ns", verb="get"), "", False),
    ],
)
async def test_may_i(user: str, what: ResourceAttributes | None, path: str, allowed: bool) -> None:
    spec = SelfSubjectAccessReviewSpec(what, NonResourceAttributes(path, "get") if path else None)
    review = await SelfSubjectAccessReviews(AUTHORIZER).create(call(user), SelfSubjectAccessReview(spec=spec))
    assert review.status.allowed is allowed
    assert bool(review.status.reason) is allowed
    assert not review.status.denied


async def test_a_refusal_tells_what_is_wrong_with_the_roles() -> None:
    sent = SelfSubjectAccessReview(spec=SelfSubjectAccessReviewSpec(GET_A))
    review = await SelfSubjectAccessReviews(AUTHORIZER).create(call("eve"), sent)
    assert review.status.reason == 'RBAC: clusterrole.rbac.authorization.k8s.io "nowhere" not found'


@pytest.mark.parametrize(
    ("review", "allowed"),
    [
        (subject_review(GET_A, "ann"), True),
        (subject_review(GET_A, "bob"), False),
        (subject_review(GET_A, groups=("watchdogs",)), True),
        (subject_review(GET_A, "bob", ("watchdogs", "x")), True),
        (subject_review(None, "bob", path="/healthz"), True),
    ],
)
async def test_may_they(review: SubjectAccessReview, allowed: bool) -> None:
    """Whoever asks: it is about the user and the groups in the review, and nothing is added to those."""
    answered = await SubjectAccessReviews(AUTHORIZER).create(call("root"), review)
    assert answered.status.allowed is allowed


async def test_may_they_in_this_namespace() -> None:
    spec = SubjectAccessReviewSpec(GET_A, user="ann")
    reviews = LocalSubjectAccessReviews(AUTHORIZER)
    answered = await reviews.create(call("root", "ns"), LocalSubjectAccessReview(spec=spec))
    assert answered.status.allowed
    with pytest.raises(Invalid, match=r"must match metadata\.namespace"):
        await reviews.create(call("root", "other"), LocalSubjectAccessReview(spec=spec))
    path = SubjectAccessReviewSpec(non_resource_attributes=NonResourceAttributes("/healthz", "get"), user="ann")
    with pytest.raises(Invalid, match="disallowed on this kind of request"):
        await reviews.create(call("root", "ns"), LocalSubjectAccessReview(spec=path))


async def test_what_may_i() -> None:
    sent = SelfSubjectRulesReview(spec=SelfSubjectRulesReviewSpec("ns"))
    status = (await SelfSubjectRulesReviews(AUTHORIZER).create(call(), sent)).status
    assert [(r.verbs, r.api_groups, r.resources, r.resource_names) for r in status.resource_rules] == [
        (["get", "list"], [GROUP], ["imagestreams"], ["a"])
    ]
    assert [(r.verbs, r.non_resource_urls) for r in status.non_resource_rules] == [(["get"], ["/healthz/*"])]
    assert (status.incomplete, status.evaluation_error) == (False, "")


async def test_rules_that_cannot_be_told_are_said_to_be_missing() -> None:
    sent = SelfSubjectRulesReview(spec=SelfSubjectRulesReviewSpec("ns"))
    status = (await SelfSubjectRulesReviews(AUTHORIZER).create(call("eve"), sent)).status
    assert status.incomplete
    assert '"nowhere" not found' in status.evaluation_error


async def test_rules_are_those_of_a_namespace() -> None:
    with pytest.raises(BadRequest, match="no namespace on request"):
        await SelfSubjectRulesReviews(AUTHORIZER).create(call(), SelfSubjectRulesReview())


@pytest.mark.parametrize(
    ("review", "fields"),
    [
        (SubjectAccessReview(), ["spec.resourceAttributes", "spec.user"]),
        (subject_review(GET_A, "ann", path="/x"), ["spec.nonResourceAttributes"]),
        (subject_review(GET_A), ["spec.user"]),
        (
            SubjectAccessReview(metadata=ObjectMeta(name="x"), spec=SubjectAccessReviewSpec(GET_A, user="ann")),
            ["metadata"],
        ),
    ],
)
async def test_a_question_that_makes_no_sense(review: SubjectAccessReview, fields: list[str]) -> None:
    with pytest.raises(Invalid) as raised:
        await SubjectAccessReviews(AUTHORIZER).create(call("root"), review)
    assert [error.field for error in raised.value.errors] == fields
