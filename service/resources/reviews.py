"""The reviews of authentication.k8s.io and authorization.k8s.io: who am I, may I, may they. All have one verb: create.

Keeps: a review is answered, and nothing is stored; what it says is what the next request would meet, by the same
authorizer. Selectors in a question are not looked at, as roles do not look at them.
Elsewhere: who may ask (`auth/builtin_roles.py`: everybody about themselves). Source: spec: kube-api 9.3.6.
"""

from __future__ import annotations

import msgspec

from service.api import authentication_v1, authorization_v1
from service.api.authentication_v1 import SelfSubjectReview, SelfSubjectReviewStatus, UserInfo
from service.api.authorization_v1 import (
    LocalSubjectAccessReview,
    NonResourceAttributes,
    NonResourceRule,
    ResourceAttributes,
    ResourceRule,
    SelfSubjectAccessReview,
    SelfSubjectAccessReviewSpec,
    SelfSubjectRulesReview,
    SubjectAccessReview,
    SubjectAccessReviewSpec,
    SubjectAccessReviewStatus,
    SubjectRulesReviewStatus,
)
from service.api.meta_v1 import ApiObject, ObjectMeta
from service.api.resource_info import ResourceInfo
from service.auth.authorization import Authorizer
from service.auth.rbac import ANY
from service.auth.rbac_index import Attributes
from service.auth.users import User
from service.domain.errors import BadRequest, GroupResource, Invalid
from service.domain.field_errors import FieldError, forbidden, invalid
from service.resources.resource import Call, Resource


def _info(group: str, version: str, struct: type[ApiObject], *, namespaced: bool = False) -> ResourceInfo:
    kind = struct.__name__
    return ResourceInfo(
        group=group,
        version=version,
        plural=f"{kind.lower()}s",
        singular=kind.lower(),
        kind=kind,
        namespaced=namespaced,
        verbs=("create",),
        struct=struct,
    )


class SelfSubjectReviews(Resource[SelfSubjectReview]):
    info = _info(authentication_v1.GROUP, authentication_v1.VERSION, SelfSubjectReview)

    async def create(self, call: Call, wanted: SelfSubjectReview) -> SelfSubjectReview:
        user = call.user
        extra = {key: list(values) for key, values in sorted(user.extra.items())}
        found = UserInfo(username=user.name, uid=user.uid, groups=list(user.groups), extra=extra)
        return SelfSubjectReview(
            metadata=ObjectMeta(creation_timestamp=call.now), status=SelfSubjectReviewStatus(user_info=found)
        )


class SelfSubjectAccessReviews(Resource[SelfSubjectAccessReview]):
    info = _info(authorization_v1.GROUP, authorization_v1.VERSION, SelfSubjectAccessReview)

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    async def create(self, call: Call, wanted: SelfSubjectAccessReview) -> SelfSubjectAccessReview:
        _refuse(self.kind, [*_metadata_errors(wanted.metadata), *_what_errors(wanted.spec)])
        wanted.status = _decided(self._authorizer, call.user, wanted.spec)
        return wanted


class SubjectAccessReviews(Resource[SubjectAccessReview]):
    info = _info(authorization_v1.GROUP, authorization_v1.VERSION, SubjectAccessReview)

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    async def create(self, call: Call, wanted: SubjectAccessReview) -> SubjectAccessReview:
        _refuse(self.kind, [*_metadata_errors(wanted.metadata), *_what_errors(wanted.spec), *_who_errors(wanted.spec)])
        wanted.status = _decided(self._authorizer, _subject(wanted.spec), wanted.spec)
        return wanted


class LocalSubjectAccessReviews(Resource[LocalSubjectAccessReview]):
    info = _info(authorization_v1.GROUP, authorization_v1.VERSION, LocalSubjectAccessReview, namespaced=True)

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    async def create(self, call: Call, wanted: LocalSubjectAccessReview) -> LocalSubjectAccessReview:
        spec = wanted.spec
        errors = [*_metadata_errors(wanted.metadata), *_what_errors(spec), *_who_errors(spec)]
        what = spec.resource_attributes
        if what is not None and what.namespace != call.namespace:
            errors.append(invalid("spec.resourceAttributes.namespace", what.namespace, "must match metadata.namespace"))
        if spec.non_resource_attributes is not None:
            errors.append(forbidden("spec.nonResourceAttributes", "disallowed on this kind of request"))
        _refuse(self.kind, errors)
        wanted.status = _decided(self._authorizer, _subject(spec), spec)
        return wanted


class SelfSubjectRulesReviews(Resource[SelfSubjectRulesReview]):
    info = _info(authorization_v1.GROUP, authorization_v1.VERSION, SelfSubjectRulesReview)

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    async def create(self, call: Call, wanted: SelfSubjectRulesReview) -> SelfSubjectRulesReview:
        if not wanted.spec.namespace:
            raise BadRequest("no namespace on request")
        review = self._authorizer.rules_for(call.user, wanted.spec.namespace)
        wanted.status = SubjectRulesReviewStatus(
            resource_rules=[
                ResourceRule(list(r.verbs), list(r.api_groups), list(r.resources), list(r.resource_names))
                for r in review.resource_rules
            ],
            non_resource_rules=[
                NonResourceRule(list(r.verbs), list(r.non_resource_urls)) for r in review.non_resource_rules
            ],
            incomplete=review.incomplete,
            evaluation_error=review.evaluation_error,
        )
        return wanted


_Spec = SelfSubjectAccessReviewSpec | SubjectAccessReviewSpec


def _decided(authorizer: Authorizer, user: User, spec: _Spec) -> SubjectAccessReviewStatus:
    decision = authorizer.authorize(user, _asked(spec.resource_attributes, spec.non_resource_attributes))
    return SubjectAccessReviewStatus(allowed=decision.allowed, reason=decision.reason)


def _asked(what: ResourceAttributes | None, path: NonResourceAttributes | None) -> Attributes:
    if what is None:
        return Attributes(path.verb, path=path.path) if path else Attributes("")
    # Only who may do it with any resource may do it with one that is not named.
    resource = what.resource or ANY
    return Attributes(what.verb, what.group, resource, what.subresource, what.namespace, what.name)


def _subject(spec: SubjectAccessReviewSpec) -> User:
    extra = {key: tuple(values) for key, values in spec.extra.items()}
    return User(spec.user, spec.uid, tuple(spec.groups), extra)


def _metadata_errors(metadata: ObjectMeta) -> list[FieldError]:
    """A review has no name and no place to be kept at; its namespace is that of the request."""
    given = msgspec.structs.replace(metadata, namespace="", managed_fields=None)
    return [] if given == ObjectMeta() else [invalid("metadata", msgspec.to_builtins(given), "must be empty")]


def _what_errors(spec: _Spec) -> list[FieldError]:
    if spec.resource_attributes is None and spec.non_resource_attributes is None:
        sentence = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        return [invalid("spec.resourceAttributes", None, sentence)]
    if spec.resource_attributes is not None and spec.non_resource_attributes is not None:
        shown = msgspec.to_builtins(spec.non_resource_attributes)
        sentence = "cannot be specified in combination with resourceAttributes"
        return [invalid("spec.nonResourceAttributes", shown, sentence)]
    return []


def _who_errors(spec: SubjectAccessReviewSpec) -> list[FieldError]:
    if spec.user or spec.groups:
        return []
    return [invalid("spec.user", spec.user, "at least one of user or group must be specified")]


def _refuse(kind: GroupResource, errors: list[FieldError]) -> None:
    if errors:
        raise Invalid(kind, "", errors)
