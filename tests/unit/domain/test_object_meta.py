"""The rules of ObjectMeta, in the words of the reference."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.api.meta_v1 import ManagedFieldsEntry, ObjectMeta, OwnerReference
from service.domain.object_meta import (
    ANNOTATIONS_LIMIT_BYTES,
    GENERATED_ALPHABET,
    generate_name,
    path_segment_problems,
    stream_name_problems,
    validate_any_update,
    validate_field_manager,
    validate_new,
    validate_update,
)

NAME_PART = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
LABEL_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
OWNER = OwnerReference("v1", "ConfigMap", "a", "u")


def fine(**changes: object) -> ObjectMeta:
    """Metadata with nothing wrong, but for these changes."""
    good = ObjectMeta(
        name="app", namespace="ns", uid="u", resource_version="1", creation_timestamp="2026-01-01T00:00:00Z"
    )
    return msgspec.structs.replace(good, **changes)


def wrong(metadata: ObjectMeta) -> list[str]:
    return [str(error) for error in validate_new(metadata)]


def test_nothing_is_wrong_with_good_metadata() -> None:
    good = fine(
        generation=1,
        labels={"example.com/app": "x", "empty": ""},
        annotations={"Example.COM/Mixed": "anything\n"},
        finalizers=["example.com/keep", "kubernetes", "orphan"],
        owner_references=[OWNER],
        managed_fields=[ManagedFieldsEntry("me", "Apply", fields_type="FieldsV1")],
    )
    assert validate_new(good) == []
    assert validate_update(good, good) == []
    assert validate_any_update(good, good) == []


@pytest.mark.parametrize(
    ("metadata", "errors"),
    [
        (fine(name=""), ["metadata.name: Required value: name or generateName is required"]),
        (fine(name="a/b%"), [
            "metadata.name: Invalid value: \"a/b%\": may not contain '/'",
            "metadata.name: Invalid value: \"a/b%\": may not contain '%'",
        ]),
        (fine(generate_name="a/"), ["metadata.generateName: Invalid value: \"a/\": may not contain '/'"]),
        (fine(namespace=""), ["metadata.namespace: Required value"]),
        (fine(namespace="a.b"), ['metadata.namespace: Invalid value: "a.b": must not contain dots']),
        (fine(namespace="n" * 64), [f'metadata.namespace: Invalid value: "{"n" * 64}": must be no more than 63 bytes']),
        (fine(generation=-1), ["metadata.generation: Invalid value: -1: must be greater than or equal to 0"]),
        (
            fine(labels={"ok": "bad value!", "bad key!": "x"}),
            [
                f'metadata.labels: Invalid value: "bad key!": {NAME_PART}',
                f'metadata.labels: Invalid value: "bad value!": {LABEL_VALUE}',
            ],
        ),
        (
            fine(labels={"k": "v" * 64}),
            [f'metadata.labels: Invalid value: "{"v" * 64}": must be no more than 63 bytes'],
        ),
        (fine(annotations={"bad key!": ""}), [f'metadata.annotations: Invalid value: "bad key!": {NAME_PART}']),
        (
            fine(annotations={"k": "é" * (ANNOTATIONS_LIMIT_BYTES // 2)}),
            ["metadata.annotations: Too long: may not be more than 262144 bytes"],
        ),
        (
            fine(finalizers=["keep"]),
            ['metadata.finalizers[0]: Invalid value: "keep": name is neither a standard finalizer name nor is it fully '
             "qualified"],
        ),
        (
            fine(finalizers=["orphan", "foregroundDeletion"]),
            ['metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and '
             "foregroundDeletion cannot be both set"],
        ),
        (
            fine(owner_references=[OwnerReference("", "", "", "")]),
            [
                'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty',
                'metadata.ownerReferences.kind: Invalid value: "": must not be empty',
                'metadata.ownerReferences.name: Invalid value: "": must not be empty',
                'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
            ],
        ),
        (
            fine(owner_references=[OwnerReference("v1", "Event", "e", "u")]),
            ['metadata.ownerReferences: Invalid value: {"apiVersion":"v1","kind":"Event","name":"e","uid":"u"}: '
             "/v1, Kind=Event is disallowed from being an owner"],
        ),
        (
            fine(owner_references=[
                OwnerReference("v1", "ConfigMap", "a", "a", True), OwnerReference("v1", "ConfigMap", "b", "b", True)
            ]),
            ['metadata.ownerReferences: Invalid value: [{"apiVersion":"v1","kind":"ConfigMap","name":"a","uid":"a",'
             '"controller":true},{"apiVersion":"v1","kind":"ConfigMap","name":"b","uid":"b","controller":true}]: '
             'Only one reference can have Controller set to true. Found "true" in references for ConfigMap/a and '
             "ConfigMap/b"],
        ),
        (
            fine(managed_fields=[ManagedFieldsEntry("m" * 129, "Make", fields_type="V2", subresource="s" * 257)]),
            [
                'metadata.managedFields[0].operation: Invalid value: "Make": must be `Apply` or `Update`',
                'metadata.managedFields[0].fieldsType: Invalid value: "V2": must be `FieldsV1`',
                "metadata.managedFields[0].manager: Too long: may not be more than 128 bytes",
                "metadata.managedFields[0].subresource: Too long: may not be more than 256 bytes",
            ],
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_new_metadata(metadata: ObjectMeta, errors: list[str]) -> None:
    assert wrong(metadata) == errors


def test_cluster_scoped_objects_have_no_namespace() -> None:
    assert [str(error) for error in validate_new(fine(), "image.metadata", namespaced=False)] == [
        "image.metadata.namespace: Forbidden: not allowed on this type"
    ]


def test_the_name_of_a_namespace_is_a_dns_label() -> None:
    (error,) = wrong(fine(namespace="Bad_NS"))
    assert error == (
        'metadata.namespace: Invalid value: "Bad_NS": a lowercase RFC 1123 label must consist of lower case '
        "alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or "
        "'123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
    )


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"name": "b"}, ['metadata.name: Invalid value: "b": field is immutable']),
        ({"namespace": "b"}, ['metadata.namespace: Invalid value: "b": field is immutable']),
        ({"uid": "zzz"}, ['metadata.uid: Invalid value: "zzz": field is immutable']),
        (
            {"deletion_timestamp": "2001-01-01T00:00:00Z"},
            ['metadata.deletionTimestamp: Invalid value: "2001-01-01T00:00:00Z": field is immutable'],
        ),
        ({"creation_timestamp": None}, ["metadata.creationTimestamp: Invalid value: null: field is immutable"]),
        (
            {"deletion_grace_period_seconds": 5},
            ["metadata.deletionGracePeriodSeconds: Invalid value: 5: field is immutable"],
        ),
        ({"generation": 0}, ["metadata.generation: Invalid value: 0: must not be decremented"]),
        ({"resource_version": ""}, ['metadata.resourceVersion: Invalid value: "": must be specified for an update']),
        ({"labels": {"bad key!": ""}}, [f'metadata.labels: Invalid value: "bad key!": {NAME_PART}']),
    ],
)
def test_what_an_update_may_not_do(changes: dict[str, object], errors: list[str]) -> None:
    old = fine(generation=1)
    new = msgspec.structs.replace(old, **changes)
    assert [str(error) for error in validate_update(new, old)] == errors


def test_the_reference_checks_an_update_twice_and_so_names_a_wrong_label_four_times_with_the_resources_rules() -> None:
    old, new = fine(), fine(labels={"bad key!": ""})
    errors = [*validate_any_update(new, old), *validate_update(new, old), *validate_new(new)]
    assert [error.field for error in errors] == ["metadata.labels"] * 4


def test_an_object_that_is_being_deleted_only_loses_finalizers() -> None:
    old = fine(deletion_timestamp="2026-01-01T00:00:00Z", finalizers=["e.com/x"])
    new = msgspec.structs.replace(old, finalizers=["e.com/z", "e.com/y", "e.com/x"])
    (error,) = validate_update(new, old)
    assert str(error) == (
        "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, "
        'found new finalizers []string{"e.com/y", "e.com/z"}'
    )
    assert validate_update(msgspec.structs.replace(old, finalizers=None), old) == []


@pytest.mark.parametrize("name", ["a", "a-b", "a_b.c", "1", "a" * 300])
def test_names_that_image_streams_may_have(name: str) -> None:
    assert stream_name_problems(name, False) == []


@pytest.mark.parametrize(
    "name", ["UPPER", "a b", "-a", "a-", "a--b", "a__b", "a..b", "foo:bar", "é", "gen-", "a\n", ""]
)
def test_names_that_no_pull_spec_could_hold(name: str) -> None:
    assert stream_name_problems(name, True) == ['must match "[a-z0-9]+(?:[._-][a-z0-9]+)*"']


def test_a_dot_is_no_name_but_may_begin_one() -> None:
    assert path_segment_problems("..", False) == ["may not be '..'"]
    assert path_segment_problems(".", True) == []
    assert stream_name_problems(".", False) == ["may not be '.'"]
    assert stream_name_problems("a%b", False) == ["may not contain '%'"]


@given(st.text(max_size=80))
def test_a_generated_name_is_the_prefix_and_five_characters(prefix: str) -> None:
    name = generate_name(prefix)
    assert name[:-5] == prefix[:58]
    assert set(name[-5:]) <= set(GENERATED_ALPHABET)


def test_a_field_manager_is_short_and_printable() -> None:
    assert validate_field_manager("kubectl edit", "fieldManager") == []
    errors = [str(error) for error in validate_field_manager("é\x00" + "m" * 126, "fieldManager")]
    assert errors[0] == "fieldManager: Too long: may not be more than 128 bytes"
    assert errors[1].endswith("invalid character U+0000 (at position 2)")
