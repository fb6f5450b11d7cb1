"""The types of the core group that clients of the image API meet: namespaces, and secrets to pull images with.

Keeps: field order and presence are the wire's, as in `meta_v1.py`. References to objects, core types too, are in
`meta_v1.py`, where everybody shares them.
Elsewhere: what a namespace and a secret are here (`domain/`), the sentences for each field (`core_descriptions.py`).
"""

from __future__ import annotations

from service.api.meta_v1 import ApiObject, ListMeta, Wire, always

GROUP = ""
VERSION = "v1"


class NamespaceSpec(Wire):
    finalizers: list[str] = []


class NamespaceCondition(Wire):
    type: str = always(str)
    status: str = always(str)
    last_transition_time: str | None = None
    reason: str = ""
    message: str = ""


class NamespaceStatus(Wire):
    phase: str = ""
    conditions: list[NamespaceCondition] = []


class Namespace(ApiObject):
    spec: NamespaceSpec = always(NamespaceSpec)
    status: NamespaceStatus = always(NamespaceStatus)


class NamespaceList(Wire):
    kind: str = ""
    api_version: str = ""
    metadata: ListMeta = always(ListMeta)
    items: list[Namespace] = always(list)


class Secret(ApiObject):
    immutable: bool | None = None
    data: dict[str, str] = {}
    """base64"""
    string_data: dict[str, str] = {}
    """Plain text, for writers only: what is served has it in `data`."""
    type: str = ""


class SecretList(Wire):
    kind: str = ""
    api_version: str = ""
    metadata: ListMeta = always(ListMeta)
    items: list[Secret] = always(list)
