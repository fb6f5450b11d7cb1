"""The authorization.k8s.io/v1 types by which a client asks what it, or somebody else, may do here.

Keeps: field order and presence are the wire's, as in `meta_v1.py`. Selectors travel so that nobody's request is refused
for them; a decision by roles never depends on them.
Elsewhere: the decisions (`auth/authorization.py`), the sentences for each field (`core_descriptions.py`).
"""

from __future__ import annotations

import msgspec

from service.api.meta_v1 import ApiObject, Wire, always

GROUP = "authorization.k8s.io"
VERSION = "v1"


class FieldSelectorRequirement(Wire):
    key: str = always(str)
    operator: str = always(str)
    values: list[str] = []


class LabelSelectorRequirement(Wire):
    key: str = always(str)
    operator: str = always(str)
    values: list[str] = []


class FieldSelectorAttributes(Wire):
    raw_selector: str = ""
    requirements: list[FieldSelectorRequirement] = []


class LabelSelectorAttributes(Wire):
    raw_selector: str = ""
    requirements: list[LabelSelectorRequirement] = []


class ResourceAttributes(Wire):
    namespace: str = ""
    verb: str = ""
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    field_selector: FieldSelectorAttributes | None = None
    label_selector: LabelSelectorAttributes | None = None


class NonResourceAttributes(Wire):
    path: str = ""
    verb: str = ""


class SelfSubjectAccessReviewSpec(Wire):
    resource_attributes: ResourceAttributes | None = None
    non_resource_attributes: NonResourceAttributes | None = None


class SubjectAccessReviewSpec(Wire):
    resource_attributes: ResourceAttributes | None = None
    non_resource_attributes: NonResourceAttributes | None = None
    user: str = ""
    groups: list[str] = []
    extra: dict[str, list[str]] = {}
    uid: str = ""


class SubjectAccessReviewStatus(Wire):
    allowed: bool = always(bool)
    denied: bool = False
    reason: str = ""
    evaluation_error: str = ""


class SelfSubjectAccessReview(ApiObject):
    spec: SelfSubjectAccessReviewSpec = always(SelfSubjectAccessReviewSpec)
    status: SubjectAccessReviewStatus = always(SubjectAccessReviewStatus)


class SubjectAccessReview(ApiObject):
    spec: SubjectAccessReviewSpec = always(SubjectAccessReviewSpec)
    status: SubjectAccessReviewStatus = always(SubjectAccessReviewStatus)


class LocalSubjectAccessReview(ApiObject):
    spec: SubjectAccessReviewSpec = always(SubjectAccessReviewSpec)
    status: SubjectAccessReviewStatus = always(SubjectAccessReviewStatus)


class SelfSubjectRulesReviewSpec(Wire):
    namespace: str = ""


class ResourceRule(Wire):
    verbs: list[str] = always(list)
    api_groups: list[str] = []
    resources: list[str] = []
    resource_names: list[str] = []


class NonResourceRule(Wire):
    verbs: list[str] = always(list)
    non_resource_urls: list[str] = msgspec.field(default_factory=list, name="nonResourceURLs")


class SubjectRulesReviewStatus(Wire):
    resource_rules: list[ResourceRule] = always(list)
    non_resource_rules: list[NonResourceRule] = always(list)
    incomplete: bool = always(bool)
    evaluation_error: str = ""


class SelfSubjectRulesReview(ApiObject):
    spec: SelfSubjectRulesReviewSpec = always(SelfSubjectRulesReviewSpec)
    status: SubjectRulesReviewStatus = always(SubjectRulesReviewStatus)
