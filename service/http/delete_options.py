"""The options of a deletion: from its body if there is one, else from the query.

Keeps: the query is not looked at when there is a body. A body that is no DeleteOptions is an error without a reason,
as the reference has it; unknown fields in one are ignored.
Elsewhere: the bytes of the body (`bodies.py`), what the options do (`commands/`).
Source: spec: kube-api 4.5.1-4.5.4 and 12.
"""

from __future__ import annotations

import msgspec

from service.api.go_text import quote
from service.api.json_types import Json
from service.api.meta_v1 import DeleteOptions, Preconditions
from service.domain.errors import BadRequest, Unclassified
from service.domain.field_errors import FieldError, invalid, not_supported
from service.domain.go_syntax import parse_int64
from service.http.options import PROPAGATION_POLICIES, dry_run_errors, refuse
from service.http.query import Query, first, flag

KIND = "DeleteOptions"
SCHEME = 'scheme "pkg/runtime/scheme.go:110"'
_GO_TYPES = {
    "gracePeriodSeconds": "int64",
    "preconditions": "v1.Preconditions",
    "preconditions.uid": "types.UID",
    "preconditions.resourceVersion": "string",
    "orphanDependents": "bool",
    "propagationPolicy": "v1.DeletionPropagation",
    "dryRun": "[]string",
}
_JSON_TYPES: dict[type, str] = {
    dict: "object",
    list: "array",
    str: "string",
    bool: "bool",
    int: "number",
    float: "number",
}


def delete_options_from_query(query: Query) -> DeleteOptions:
    """Raises BadRequest or Invalid."""
    uid, version = first(query, "uid"), first(query, "resourceVersion")
    policy = query.get("propagationPolicy")
    options = DeleteOptions(
        grace_period_seconds=_grace_period(query),
        preconditions=Preconditions(uid=uid or None, resource_version=version or None) if uid or version else None,
        orphan_dependents=flag(query, "orphanDependents"),
        propagation_policy=policy[0] if policy else None,
        dry_run=query.get("dryRun"),
    )
    return _valid(options)


def delete_options_from_body(document: Json, group_versions: tuple[str, ...]) -> DeleteOptions:
    """From a body that was not empty. Raises Unclassified for another object, Invalid for values that make no sense.

    `group_versions` are those, beside meta's own, in which a DeleteOptions is known.
    """
    if not isinstance(document, dict):
        raise Unclassified(_wrong_type(document))
    kind, version = document.get("kind") or KIND, document.get("apiVersion") or "v1"
    if kind != KIND or version not in ("v1", "meta.k8s.io/v1", *group_versions):
        raise Unclassified(f"no kind {quote(str(kind))} is registered for version {quote(str(version))} in {SCHEME}")
    try:
        options = msgspec.convert({k: v for k, v in document.items() if v is not None}, DeleteOptions)
    except msgspec.ValidationError as wrong:
        raise Unclassified(_wrong_field(document, str(wrong))) from None
    return _valid(options)


def _wrong_type(document: Json) -> str:
    """The body is JSON, but no object."""
    go_type = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
    found = _JSON_TYPES.get(type(document), "null")
    return (
        f"couldn't get version/kind; json parse error: json: cannot unmarshal {found} into Go value of type {go_type}"
    )


def _wrong_field(document: Json, problem: str) -> str:
    path = problem.partition(" - at `$.")[2].rstrip("`")
    value: Json = document
    for key in path.partition("[")[0].split("."):
        value = value.get(key) if isinstance(value, dict) else None
    name = path.partition("[")[0]
    found, go_type = _JSON_TYPES.get(type(value), "null"), _GO_TYPES.get(name, "string")
    return f"json: cannot unmarshal {found} into Go struct field {KIND}.{name} of type {go_type}"


def _grace_period(query: Query) -> int | None:
    if "gracePeriodSeconds" not in query:
        return None
    try:
        return parse_int64(first(query, "gracePeriodSeconds"))
    except ValueError as wrong:
        raise BadRequest(str(wrong)) from None


def _valid(options: DeleteOptions) -> DeleteOptions:
    errors: list[FieldError] = []
    policy = options.propagation_policy
    if policy is not None:
        if options.orphan_dependents is not None:
            detail = "orphanDependents and deletionPropagation cannot be both set"
            errors.append(invalid("propagationPolicy", policy, detail))
        if policy not in PROPAGATION_POLICIES:
            errors.append(not_supported("propagationPolicy", policy, [*PROPAGATION_POLICIES, "nil"]))
    errors += dry_run_errors(options.dry_run or [])
    refuse(KIND, errors)
    return options
