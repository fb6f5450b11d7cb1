"""The options of a deletion, from the query or from the body."""

from __future__ import annotations

import pytest

from service.api.json_types import Json
from service.api.meta_v1 import DeleteOptions
from service.domain.errors import BadRequest, Invalid, Unclassified
from service.http.delete_options import delete_options_from_body, delete_options_from_query
from service.http.query import parse_query

GROUPS = ("image.openshift.io/v1",)


def body(document: Json) -> DeleteOptions:
    return delete_options_from_body(document, GROUPS)


@pytest.mark.parametrize("version", ["v1", "meta.k8s.io/v1", "image.openshift.io/v1", ""])
def test_the_groups_a_body_may_name(version: str) -> None:
    options = body({"kind": "DeleteOptions", "apiVersion": version, "propagationPolicy": "Background", "bogus": 1})
    assert options.propagation_policy == "Background"


def test_a_body_need_not_say_what_it_is() -> None:
    options = body({"preconditions": {"uid": "u", "resourceVersion": "7"}, "dryRun": ["All"], "kind": None})
    assert options.preconditions is not None
    assert (options.preconditions.uid, options.preconditions.resource_version) == ("u", "7")
    assert options.dry_run == ["All"]


def test_the_same_from_a_query() -> None:
    options = delete_options_from_query(
        parse_query("uid=u&resourceVersion=7&gracePeriodSeconds=-1&orphanDependents&dryRun=All")
    )
    assert options.preconditions is not None
    assert (options.preconditions.uid, options.preconditions.resource_version) == ("u", "7")
    assert (options.grace_period_seconds, options.orphan_dependents, options.dry_run) == (-1, True, ["All"])
    assert delete_options_from_query({}) == DeleteOptions()


POLICIES = '"Foreground", "Background", "Orphan", "nil"'


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({"propagationPolicy": "Bad"}, f'propagationPolicy: Unsupported value: "Bad": supported values: {POLICIES}'),
        ({"propagationPolicy": ""}, f'propagationPolicy: Unsupported value: "": supported values: {POLICIES}'),
        (
            {"orphanDependents": True, "propagationPolicy": "Orphan"},
            'propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set',
        ),
        ({"dryRun": ["Nope"]}, 'dryRun: Unsupported value: ["Nope"]: supported values: "All"'),
    ],
)
def test_values_that_make_no_sense(document: Json, why: str) -> None:
    with pytest.raises(Invalid) as wrong:
        body(document)
    assert wrong.value.message == f'DeleteOptions.meta.k8s.io "" is invalid: {why}'


def test_a_number_that_is_none() -> None:
    with pytest.raises(BadRequest) as wrong:
        delete_options_from_query(parse_query("gracePeriodSeconds=abc"))
    assert wrong.value.message == 'strconv.ParseInt: parsing "abc": invalid syntax'
    with pytest.raises(Invalid):
        delete_options_from_query(parse_query("propagationPolicy="))


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (
            {"kind": "ImageStream", "apiVersion": "image.openshift.io/v1"},
            'no kind "ImageStream" is registered for version "image.openshift.io/v1" '
            'in scheme "pkg/runtime/scheme.go:110"',
        ),
        (
            {"apiVersion": "v9"},
            'no kind "DeleteOptions" is registered for version "v9" in scheme "pkg/runtime/scheme.go:110"',
        ),
        (
            [],
            "couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct "
            '{ APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }',
        ),
        (
            {"gracePeriodSeconds": "x"},
            "json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64",
        ),
        (
            {"preconditions": {"uid": 1}},
            "json: cannot unmarshal number into Go struct field DeleteOptions.preconditions.uid of type types.UID",
        ),
        (
            {"dryRun": "All"},
            "json: cannot unmarshal string into Go struct field DeleteOptions.dryRun of type []string",
        ),
    ],
)
def test_a_body_that_is_something_else(document: Json, why: str) -> None:
    with pytest.raises(Unclassified) as wrong:
        body(document)
    assert wrong.value.message == why
