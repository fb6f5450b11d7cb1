"""An object as its user could have written it, to be created elsewhere: what `export` in a GET asks for.

Keeps: the object that is exported stays as it is. Elsewhere: what of its content only the server sets
(`Resource.written`). Source: spec: kube-api 12, the semantics of before Kubernetes 1.18.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from service.api.meta_v1 import ApiObject
from service.resources.resource import Resource

T = TypeVar("T", bound=ApiObject)


def exported(resource: Resource[T], value: T, *, exact: bool) -> T:
    """Without what the server sets and, unless it is to be exact, without what says where it was."""
    metadata = msgspec.structs.replace(
        value.metadata,
        uid="",
        self_link="",
        resource_version="",
        generation=0,
        creation_timestamp=None,
        deletion_timestamp=None,
        deletion_grace_period_seconds=None,
        managed_fields=None,
    )
    if not exact:
        metadata.namespace = ""
        if metadata.generate_name:
            metadata.name = ""
    return resource.written(msgspec.structs.replace(value, metadata=metadata))
