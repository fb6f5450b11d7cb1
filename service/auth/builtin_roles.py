"""The roles and bindings every installation starts with, as Kubernetes and OpenShift name them.

admin, edit and view have no rules of their own: they aggregate by label, so a file extends one by a ClusterRole with
the label, and replaces any object here by one of the same kind and name. Bound out of the box: discovery, version and
health for whoever is authenticated (version and health for anyone), and reading the namespace `openshift`.
Source: spec: image-api 11.6.
"""

from __future__ import annotations

from service.auth.rbac import ANY, Binding, Policy, PolicyRule, Role, Subject, policy
from service.auth.users import AUTHENTICATED, MASTERS, UNAUTHENTICATED
from service.domain.errors import IMAGE_GROUP
from service.domain.label_requirements import LabelSelector, Operator, requirement

HISTORY_GROUP = "taghistory.io"
SHARED_NAMESPACE = "openshift"

READ = ("get", "list", "watch")
WRITE = ("create", "delete", "deletecollection", "patch", "update")
STREAM_RESOURCES = ("imagestreamimages", "imagestreammappings", "imagestreams", "imagestreamtags", "imagetags")


def _aggregation_label(role: str) -> str:
    return f"rbac.authorization.k8s.io/aggregate-to-{role}"


def _images(verbs: tuple[str, ...], *resources: str) -> PolicyRule:
    return PolicyRule(verbs, (IMAGE_GROUP,), resources)


def _get_paths(*paths: str) -> PolicyRule:
    return PolicyRule(("get",), non_resource_urls=paths)


def _review(group: str, *resources: str) -> PolicyRule:
    return PolicyRule(("create",), (group,), resources)


_READING = (_images(READ, *STREAM_RESOURCES),)
_EDITING = (
    _images((*READ, *WRITE), *STREAM_RESOURCES, "imagestreams/secrets"),
    _images(("get", "update"), "imagestreams/layers"),
    _images(("create",), "imagestreamimports"),
)
_READING_STATUS = _images(READ, "imagestreams/status")
_READING_NAMESPACES = PolicyRule(READ, ("",), ("namespaces",))
_READING_HISTORY = PolicyRule(READ, (HISTORY_GROUP,), ("tagevents",))
_KEEPING_SECRETS = PolicyRule((*READ, *WRITE), ("",), ("secrets",))
_ASKING = _review("authorization.k8s.io", "localsubjectaccessreviews")
_PULLING = _images(("get",), "imagestreams/layers")

_VERSION_AND_HEALTH = ("/healthz", "/livez", "/readyz", "/version", "/version/")
_DISCOVERY = ("/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*")


def _aggregate(name: str) -> Role:
    selector = LabelSelector((requirement(_aggregation_label(name), Operator.IN, ("true",)),))
    # What view may, edit may; what edit may, admin may.
    wider = {"view": "edit", "edit": "admin"}.get(name)
    labels = {_aggregation_label(wider): "true"} if wider else {}
    return Role(name, labels=labels, aggregates=(selector,))


def _part(name: str, of: str, *rules: PolicyRule) -> Role:
    return Role(name, rules, labels={_aggregation_label(of): "true"})


CLUSTER_ROLES = (
    Role("cluster-admin", (PolicyRule((ANY,), (ANY,), (ANY,)), PolicyRule((ANY,), non_resource_urls=(ANY,)))),
    _aggregate("admin"),
    _aggregate("edit"),
    _aggregate("view"),
    _part("system:openshift:aggregate-to-admin", "admin", *_EDITING, _KEEPING_SECRETS, _READING_STATUS, _ASKING),
    _part("system:openshift:aggregate-to-edit", "edit", *_EDITING, _KEEPING_SECRETS, _READING_STATUS),
    _part(
        "system:openshift:aggregate-to-view", "view", *_READING, _READING_STATUS, _READING_NAMESPACES, _READING_HISTORY
    ),
    _part("registry-admin", "admin", *_EDITING),
    _part("registry-editor", "edit", *_EDITING),
    _part("registry-viewer", "view", *_READING, _PULLING),
    Role("system:image-puller", (_PULLING,)),
    Role("system:image-pusher", (_images(("get", "update"), "imagestreams/layers"),)),
    Role(
        "system:image-builder",
        (_images(("get", "update"), "imagestreams/layers"), _images(("create",), "imagestreams")),
    ),
    Role(
        "system:image-signer",
        (_images(("get",), "images", "imagestreams/layers"), _images(("create", "delete"), "imagesignatures")),
    ),
    Role("system:discovery", (_get_paths(*_DISCOVERY, *_VERSION_AND_HEALTH),)),
    Role("system:public-info-viewer", (_get_paths(*_VERSION_AND_HEALTH),)),
    Role(
        "system:basic-user",
        (
            _review("authorization.k8s.io", "selfsubjectaccessreviews", "selfsubjectrulesreviews"),
            _review("authentication.k8s.io", "selfsubjectreviews"),
        ),
    ),
    Role(
        "system:monitoring",
        (_get_paths("/healthz", "/healthz/*", "/livez", "/livez/*", "/metrics", "/readyz", "/readyz/*"),),
    ),
)

SHARED_READER = Role(
    "shared-resource-viewer",
    (_images(READ, "imagestreamimages", "imagestreams", "imagestreamtags", "imagetags"), _PULLING),
    SHARED_NAMESPACE,
)


def _groups(*names: str) -> tuple[Subject, ...]:
    return tuple(Subject("Group", name) for name in names)


BINDINGS = (
    Binding("cluster-admin", "cluster-admin", _groups(MASTERS)),
    Binding("system:basic-user", "system:basic-user", _groups(AUTHENTICATED)),
    Binding("system:discovery", "system:discovery", _groups(AUTHENTICATED)),
    Binding("system:monitoring", "system:monitoring", _groups("system:monitoring")),
    Binding("system:public-info-viewer", "system:public-info-viewer", _groups(AUTHENTICATED, UNAUTHENTICATED)),
    Binding("shared-resource-viewers", SHARED_READER.name, _groups(AUTHENTICATED), SHARED_NAMESPACE, SHARED_NAMESPACE),
)

BUILTIN: Policy = policy((*CLUSTER_ROLES, SHARED_READER), BINDINGS)
