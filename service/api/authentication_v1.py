"""The authentication.k8s.io/v1 types by which a client learns who it is here.

Keeps: field order and presence are the wire's, as in `meta_v1.py`.
Elsewhere: who is asking (`auth/`), the sentences for each field (`core_descriptions.py`).
"""

from __future__ import annotations

from service.api.meta_v1 import ApiObject, Wire, always

GROUP = "authentication.k8s.io"
VERSION = "v1"


class UserInfo(Wire):
    username: str = ""
    uid: str = ""
    groups: list[str] = []
    extra: dict[str, list[str]] = {}


class SelfSubjectReviewStatus(Wire):
    user_info: UserInfo = always(UserInfo)


class SelfSubjectReview(ApiObject):
    status: SelfSubjectReviewStatus = always(SelfSubjectReviewStatus)
