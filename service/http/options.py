"""The options of each verb but delete, from the query string.

Keeps: a number that is none is a bad request; values that contradict each other are one Invalid of kind ⟨Verb⟩Options
with all of them; unknown parameters are ignored. What comes out is typed and valid, so no handler checks again.
Elsewhere: deletions (`delete_options.py`); a continue token is read where it is made.
Source: spec: kube-api 4.6, 6.1, 7.1.2, 8.1, 10 and 12.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from service.api.go_text import json_text, quote
from service.domain.errors import BadRequest, GroupResource, Invalid, Unclassified
from service.domain.field_errors import ErrorType, FieldError, forbidden, not_supported, required, too_long
from service.domain.go_syntax import parse_duration_seconds, parse_int64, parse_uint64
from service.domain.label_requirements import LabelSelector
from service.domain.selectors import DEFAULT_FIELDS, FieldSelector, parse_field_selector, parse_label_selector
from service.http.query import Query, first, flag

META_GROUP = "meta.k8s.io"
FIELD_MANAGER_LIMIT_BYTES = 128
FIELD_VALIDATIONS = ["", "Ignore", "Strict", "Warn"]
PROPAGATION_POLICIES = ["Foreground", "Background", "Orphan"]
EXACT = "Exact"
NOT_OLDER_THAN = "NotOlderThan"


class GetOptions(msgspec.Struct, frozen=True):
    resource_version: str = ""
    """"" or a decimal number"""
    export: bool = False
    exact: bool = False
    """of an export"""


class WriteOptions(msgspec.Struct, frozen=True):
    """Of create, update and patch."""

    dry_run: bool = False
    field_manager: str = ""
    field_validation: str = "Warn"
    force: bool = False
    """of an apply: take fields that other managers own"""


class ListOptions(msgspec.Struct, frozen=True):
    """Of list, watch and deletecollection."""

    labels: LabelSelector = LabelSelector()
    fields: FieldSelector = FieldSelector()
    resource_version: str = ""
    """"" or a decimal number"""
    resource_version_match: str = ""
    limit: int = 0
    """0 is no limit"""
    continue_token: str = ""
    timeout_seconds: int | None = None
    allow_bookmarks: bool = False
    send_initial_events: bool | None = None


def get_options(query: Query) -> GetOptions:
    version = first(query, "resourceVersion")
    if problem := _version_problem(version):
        raise Unclassified(problem)
    return GetOptions(version, flag(query, "export") or False, flag(query, "exact") or False)


def create_options(query: Query) -> WriteOptions:
    return _write_options(query, "CreateOptions", [])


def update_options(query: Query) -> WriteOptions:
    return _write_options(query, "UpdateOptions", [])


def patch_options(query: Query, *, apply: bool) -> WriteOptions:
    """`apply` is whether the patch is a server-side apply, which needs a manager and alone may force."""
    errors = []
    if apply and not first(query, "fieldManager"):
        errors.append(required("fieldManager", "is required for apply patch"))
    if not apply and flag(query, "force") is not None:
        errors.append(forbidden("force", "may not be specified for non-apply patch"))
    return _write_options(query, "PatchOptions", errors)


def _write_options(query: Query, kind: str, errors: list[FieldError]) -> WriteOptions:
    manager = first(query, "fieldManager")
    validation = first(query, "fieldValidation")
    dry_run = query.get("dryRun", [])
    errors += field_manager_errors(manager)
    errors += dry_run_errors(dry_run)
    if validation not in FIELD_VALIDATIONS:
        errors.append(not_supported("fieldValidation", validation, FIELD_VALIDATIONS))
    refuse(kind, errors)
    return WriteOptions(bool(dry_run), manager, validation or "Warn", flag(query, "force") or False)


def field_manager_errors(manager: str) -> Iterable[FieldError]:
    if len(manager.encode()) > FIELD_MANAGER_LIMIT_BYTES:
        yield too_long("fieldManager", FIELD_MANAGER_LIMIT_BYTES)
    position_bytes = 0
    for char in manager:
        if not char.isprintable():
            detail = f"invalid character U+{ord(char):04X} (at position {position_bytes})"
            yield FieldError(ErrorType.INVALID, "fieldManager", detail, manager, shown=quote(manager))
        position_bytes += len(char.encode(errors="surrogatepass"))


def dry_run_errors(values: list[str]) -> Iterable[FieldError]:
    if any(value != "All" for value in values):
        yield FieldError(
            ErrorType.NOT_SUPPORTED, "dryRun", 'supported values: "All"', list(values), shown=json_text(list(values))
        )


def list_options(query: Query, *, watch: bool, known_fields: Collection[str] = DEFAULT_FIELDS) -> ListOptions:
    """Raises BadRequest or Invalid. `known_fields` are those the resource can be selected by."""
    options = ListOptions(
        timeout_seconds=_integer(query, "timeoutSeconds"),
        limit=max(_integer(query, "limit") or 0, 0),
        labels=parse_label_selector(first(query, "labelSelector")),
        fields=parse_field_selector(first(query, "fieldSelector")),
        resource_version=first(query, "resourceVersion"),
        resource_version_match=first(query, "resourceVersionMatch"),
        continue_token=first(query, "continue"),
        allow_bookmarks=flag(query, "allowWatchBookmarks") or False,
        send_initial_events=flag(query, "sendInitialEvents"),
    )
    if watch:
        options = _with_initial_events(options)
    refuse("ListOptions", list(_watch_errors(options) if watch else _list_errors(options)))
    options.fields.validate(known_fields)
    if problem := _version_problem(options.resource_version):
        # The reference gives a list a reason and a watch none.
        raise Unclassified(problem) if watch else BadRequest(f"invalid resource version: {problem}")
    if not watch and options.continue_token and options.resource_version not in ("", "0"):
        raise BadRequest("specifying resource version is not allowed when using continue")
    return options


def _with_initial_events(options: ListOptions) -> ListOptions:
    """A watch from nowhere in particular begins with what there is (spec: kube-api 7.1.1)."""
    asked = options.send_initial_events is not None or options.resource_version_match
    if asked or options.resource_version not in ("", "0"):
        return options
    return msgspec.structs.replace(options, send_initial_events=True, resource_version_match=NOT_OLDER_THAN)


def _list_errors(options: ListOptions) -> Iterable[FieldError]:
    field, match = "resourceVersionMatch", options.resource_version_match
    if match:
        if not options.resource_version:
            yield forbidden(field, f"{field} is forbidden unless resourceVersion is provided")
        if options.continue_token:
            yield forbidden(field, f"{field} is forbidden when continue is provided")
        if match not in (EXACT, NOT_OLDER_THAN):
            yield not_supported(field, match, [EXACT, NOT_OLDER_THAN, ""])
        if match == EXACT and options.resource_version == "0":
            yield forbidden(field, f'{field} "exact" is forbidden for resourceVersion "0"')
    if options.send_initial_events is not None:
        yield forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list")


def _watch_errors(options: ListOptions) -> Iterable[FieldError]:
    field, match = "resourceVersionMatch", options.resource_version_match
    if options.send_initial_events is not None and match != NOT_OLDER_THAN:
        yield forbidden(field, f"sendInitialEvents requires setting {field} to {NOT_OLDER_THAN}")
    if match:
        if options.send_initial_events is None:
            yield forbidden(field, f"{field} is forbidden for watch unless sendInitialEvents is provided")
        if match != NOT_OLDER_THAN:
            yield not_supported(field, match, [NOT_OLDER_THAN])
        if options.continue_token:
            yield forbidden(field, f"{field} is forbidden when continue is provided")


def request_timeout_seconds(query: Query, longest_seconds: float) -> float:
    """How long the request may take. The client may ask for less than the longest; 0 asks for nothing."""
    text = first(query, "timeout")
    if not text:
        return longest_seconds
    try:
        asked = parse_duration_seconds(text)
    except ValueError as wrong:
        raise BadRequest(f"invalid timeout specified in the request URL - {wrong}") from None
    return asked if 0 < asked < longest_seconds else longest_seconds


def _version_problem(text: str) -> str:
    if not text:
        return ""
    try:
        parse_uint64(text)
    except ValueError as wrong:
        return f"resourceVersion: Invalid value: {quote(text)}: {wrong}"
    return ""


def _integer(query: Query, name: str) -> int | None:
    if name not in query:
        return None
    try:
        return parse_int64(first(query, name))
    except ValueError as wrong:
        raise BadRequest(str(wrong)) from None


def refuse(kind: str, errors: list[FieldError]) -> None:
    """Raises Invalid if there is anything wrong."""
    if errors:
        raise Invalid(GroupResource(META_GROUP, kind), "", errors)
