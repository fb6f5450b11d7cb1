"""The options of each verb, and every way they can be wrong."""

from __future__ import annotations

import pytest

from service.domain.errors import BadRequest, Invalid, Unclassified
from service.http.options import (
    GetOptions,
    create_options,
    get_options,
    list_options,
    patch_options,
    request_timeout_seconds,
    update_options,
)
from service.http.query import parse_query

FORBIDDEN = "resourceVersionMatch: Forbidden: "
UNLESS_VERSION = f"{FORBIDDEN}resourceVersionMatch is forbidden unless resourceVersion is provided"
WITH_CONTINUE = f"{FORBIDDEN}resourceVersionMatch is forbidden when continue is provided"
REQUIRES_MATCH = f"{FORBIDDEN}sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("resourceVersionMatch=Exact", UNLESS_VERSION),
        ("resourceVersionMatch=NotOlderThan", UNLESS_VERSION),
        ("continue=x&resourceVersionMatch=Exact", f"[{UNLESS_VERSION}, {WITH_CONTINUE}]"),
        (
            "resourceVersion=0&resourceVersionMatch=Exact",
            f'{FORBIDDEN}resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
        ),
        (
            "resourceVersion=341&resourceVersionMatch=Bad",
            'resourceVersionMatch: Unsupported value: "Bad": supported values: "Exact", "NotOlderThan", ""',
        ),
        ("sendInitialEvents=true", "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"),
    ],
)
def test_options_of_a_list_that_contradict_each_other(query: str, why: str) -> None:
    with pytest.raises(Invalid) as wrong:
        list_options(parse_query(query), watch=False)
    assert wrong.value.message == f'ListOptions.meta.k8s.io "" is invalid: {why}'


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("sendInitialEvents=true", REQUIRES_MATCH),
        ("sendInitialEvents=false", REQUIRES_MATCH),
        (
            "sendInitialEvents=true&resourceVersionMatch=Exact",
            f'[{REQUIRES_MATCH}, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"]',
        ),
        (
            "resourceVersion=1&resourceVersionMatch=NotOlderThan",
            f"{FORBIDDEN}resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        ),
        ("continue=abc", WITH_CONTINUE),
    ],
)
def test_options_of_a_watch_that_contradict_each_other(query: str, why: str) -> None:
    with pytest.raises(Invalid) as wrong:
        list_options(parse_query(query), watch=True)
    assert wrong.value.message == f'ListOptions.meta.k8s.io "" is invalid: {why}'


@pytest.mark.parametrize("watch", [True, False])
@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("limit=abc", 'strconv.ParseInt: parsing "abc": invalid syntax'),
        ("timeoutSeconds=", 'strconv.ParseInt: parsing "": invalid syntax'),
        ("labelSelector===", "found '==', expected: !, identifier, or 'end of string'"),
        ("fieldSelector=foo", "invalid selector: 'foo'; can't understand 'foo'"),
        (
            "fieldSelector=spec.foo%3Dbar",
            '"spec.foo" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
    ],
)
def test_options_that_make_no_sense(query: str, why: str, watch: bool) -> None:
    with pytest.raises(BadRequest) as wrong:
        list_options(parse_query(query), watch=watch)
    assert wrong.value.message == why


def test_a_resource_may_be_selected_by_fields_of_its_own() -> None:
    query = parse_query("fieldSelector=spec.foo%3Dbar")
    assert list_options(query, watch=False, known_fields={"spec.foo"}).fields.exact("spec.foo") == "bar"


def test_a_list_with_everything() -> None:
    options = list_options(
        parse_query("limit=5&labelSelector=a%3Db&resourceVersion=7&resourceVersionMatch=Exact&timeoutSeconds=9&x=y"),
        watch=False,
    )
    assert (options.limit, options.resource_version, options.resource_version_match) == (5, "7", "Exact")
    assert options.timeout_seconds == 9
    assert options.labels.matches({"a": "b"})


@pytest.mark.parametrize(("limit", "meant"), [("0", 0), ("-1", 0), ("5000", 5000)])
def test_a_limit_below_one_is_none(limit: str, meant: int) -> None:
    assert list_options(parse_query(f"limit={limit}"), watch=False).limit == meant


@pytest.mark.parametrize(("query", "begins"), [("", True), ("resourceVersion=0", True), ("resourceVersion=5", None)])
def test_a_watch_from_nowhere_begins_with_what_there_is(query: str, begins: bool | None) -> None:
    options = list_options(parse_query(query), watch=True)
    assert options.send_initial_events is begins
    assert options.resource_version_match == ("NotOlderThan" if begins else "")


def test_a_continued_list_has_its_version_already() -> None:
    list_options(parse_query("continue=x&resourceVersion=0"), watch=False)
    with pytest.raises(BadRequest, match=r"^specifying resource version is not allowed when using continue$"):
        list_options(parse_query("continue=x&resourceVersion=5"), watch=False)


@pytest.mark.parametrize("version", ["abc", "-1", "1.0", "99999999999999999999999"])
def test_a_version_that_is_none_has_a_reason_in_lists_only(version: str) -> None:
    query = parse_query(f"resourceVersion={version}")
    with pytest.raises(BadRequest, match=r"^invalid resource version: resourceVersion: Invalid value: "):
        list_options(query, watch=False)
    with pytest.raises(Unclassified, match=r"^resourceVersion: Invalid value: "):
        list_options(query, watch=True)
    with pytest.raises(Unclassified, match=r"strconv\.ParseUint: parsing "):
        get_options(query)


@pytest.mark.parametrize(
    ("query", "export", "exact"),
    [("", False, False), ("export", True, False), ("export=1&exact=true", True, True), ("export=0&exact", False, True)],
)
def test_exports(query: str, export: bool, exact: bool) -> None:
    assert get_options(parse_query(f"{query}&resourceVersion=3")) == GetOptions("3", export, exact)


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("dryRun=", 'dryRun: Unsupported value: [""]: supported values: "All"'),
        ("dryRun=All&dryRun=x", 'dryRun: Unsupported value: ["All","x"]: supported values: "All"'),
        (
            "fieldValidation=strict",
            'fieldValidation: Unsupported value: "strict": supported values: "", "Ignore", "Strict", "Warn"',
        ),
        (f"fieldManager={'m' * 129}", "fieldManager: Too long: may not be more than 128 bytes"),
        (
            "fieldManager=a%00",
            'fieldManager: Invalid value: "a\\x00": invalid character U+0000 (at position 1)',
        ),
        (
            "fieldManager=%C3%A9%07",
            'fieldManager: Invalid value: "é\\a": invalid character U+0007 (at position 2)',
        ),
    ],
)
def test_options_of_a_write_that_are_wrong(query: str, why: str) -> None:
    for kind, parse in (("CreateOptions", create_options), ("UpdateOptions", update_options)):
        with pytest.raises(Invalid) as wrong:
            parse(parse_query(query))
        assert wrong.value.message == f'{kind}.meta.k8s.io "" is invalid: {why}'


def test_options_of_a_write() -> None:
    options = create_options(parse_query("dryRun=All&dryRun=All&fieldManager=me&fieldValidation="))
    assert (options.dry_run, options.field_manager, options.field_validation) == (True, "me", "Warn")
    assert not update_options(parse_query("force=true")).dry_run


def test_only_an_apply_forces_and_it_has_to_say_who_applies() -> None:
    with pytest.raises(Invalid, match=r"force: Forbidden: may not be specified for non-apply patch$"):
        patch_options(parse_query("force=false"), apply=False)
    with pytest.raises(Invalid, match=r"fieldManager: Required value: is required for apply patch$"):
        patch_options(parse_query("force=true"), apply=True)
    assert patch_options(parse_query("force&fieldManager=m"), apply=True).force
    assert not patch_options(parse_query("force=false&fieldManager=m"), apply=True).force


def test_a_client_may_ask_for_less_time_but_not_for_more() -> None:
    assert request_timeout_seconds(parse_query("timeout=5s"), 60) == 5
    for text in ("", "timeout=0s", "timeout=2h", "timeout=-1s"):
        assert request_timeout_seconds(parse_query(text), 60) == 60
    with pytest.raises(BadRequest) as wrong:
        request_timeout_seconds(parse_query("timeout=x"), 60)
    assert wrong.value.message == 'invalid timeout specified in the request URL - time: invalid duration "x"'
