"""The rules of ObjectMeta: names, labels, annotations, owners, finalizers, managed fields, and what never changes.

Keeps: every wrong field is reported at once, in the order and the words of the reference; where the reference's order
is drawn at random (labels, annotations) it is by key.
Elsewhere: what a key or a value may look like (`qualified_names.py`); the resources' own rules.
Source: spec: kube-api 4.2.3, 4.3, 4.4.5-4.4.6.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import TypeAlias

import msgspec

from service.api.go_text import quote
from service.api.json_types import Json
from service.api.meta_v1 import ManagedFieldsEntry, ObjectMeta, OwnerReference
from service.domain.field_errors import FieldError, forbidden, invalid, required, too_long
from service.domain.qualified_names import label_value_problems, qualified_name_problems, subdomain_problems

NameRule: TypeAlias = Callable[[str, bool], list[str]]
"""(name, whether it is only a prefix) → what is wrong with it."""

ANNOTATIONS_LIMIT_BYTES = 256 * 1024
FIELD_MANAGER_LIMIT_BYTES = 128
SUBRESOURCE_LIMIT_BYTES = 256
GENERATED_PREFIX_LIMIT_CHARACTERS = 58
GENERATED_SUFFIX_CHARACTERS = 5
GENERATED_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""Without vowels and look-alikes, so that no words come out."""

IMMUTABLE = "field is immutable"
ORPHAN_FINALIZER = "orphan"
FOREGROUND_FINALIZER = "foregroundDeletion"
_STANDARD_FINALIZERS = frozenset({"kubernetes", ORPHAN_FINALIZER, FOREGROUND_FINALIZER})
_STREAM_NAME = "[a-z0-9]+(?:[._-][a-z0-9]+)*"
_DNS_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_DNS_LABEL_MATCH = re.compile(_DNS_LABEL)
_DNS_LABEL_LIMIT_BYTES = 63
_STREAM_NAME_MATCH = re.compile(r"[a-z0-9]++(?:[._-][a-z0-9]++)*+")


def generate_name(prefix: str) -> str:
    """A name for an object that came with generateName only."""
    suffix = "".join(secrets.choice(GENERATED_ALPHABET) for _ in range(GENERATED_SUFFIX_CHARACTERS))
    return prefix[:GENERATED_PREFIX_LIMIT_CHARACTERS] + suffix


def path_segment_problems(name: str, prefix: bool) -> list[str]:
    """The rule of every name: it must fit between two slashes of a URL."""
    if not prefix and name in (".", ".."):
        return [f"may not be '{name}'"]
    return [f"may not contain '{part}'" for part in ("/", "%") if part in name]


def stream_name_problems(name: str, prefix: bool) -> list[str]:
    """The rule of image streams: their name is a part of a pull spec. It holds for a prefix, too."""
    problems = path_segment_problems(name, prefix)
    if problems or _STREAM_NAME_MATCH.fullmatch(name):
        return problems
    return [f'must match "{_STREAM_NAME}"']


def validate_new(
    metadata: ObjectMeta,
    field: str = "metadata",
    name_rule: NameRule = path_segment_problems,
    namespaced: bool = True,
) -> list[FieldError]:
    """What is wrong with the metadata of an object that is to be stored, by the rules of its resource."""
    errors = validate_any_new(metadata, field, name_rule, namespaced)
    return errors + _unqualified_finalizers(metadata, field)


def validate_update(new: ObjectMeta, old: ObjectMeta, field: str = "metadata") -> list[FieldError]:
    """What may not change, and what is wrong with what did, by the rules of the resource."""
    return _update_errors(new, old, field) + _unqualified_finalizers(new, field)


def validate_any_update(new: ObjectMeta, old: ObjectMeta, namespaced: bool = True) -> list[FieldError]:
    """What the reference checks at every update before it asks the resource, which then checks much of it again."""
    return validate_any_new(new, namespaced=namespaced) + _update_errors(new, old, "metadata")


def validate_any_new(
    metadata: ObjectMeta,
    field: str = "metadata",
    name_rule: NameRule = path_segment_problems,
    namespaced: bool = True,
) -> list[FieldError]:
    """The rules that hold for every resource."""
    errors = _name_errors(metadata, field, name_rule)
    if not namespaced:
        if metadata.namespace:
            errors.append(forbidden(f"{field}.namespace", "not allowed on this type"))
    elif not metadata.namespace:
        errors.append(required(f"{field}.namespace"))
    else:
        errors += [
            invalid(f"{field}.namespace", metadata.namespace, problem)
            for problem in dns_label_problems(metadata.namespace)
        ]
    if metadata.generation < 0:
        wrong = "must be greater than or equal to 0"
        errors.append(invalid(f"{field}.generation", metadata.generation, wrong))
    return [
        *errors,
        *_label_errors(metadata.labels or {}, f"{field}.labels"),
        *_annotation_errors(metadata.annotations or {}, f"{field}.annotations"),
        *_owner_errors(metadata.owner_references or [], f"{field}.ownerReferences"),
        *_finalizer_errors(metadata.finalizers or [], f"{field}.finalizers"),
        *_managed_fields_errors(metadata.managed_fields or [], f"{field}.managedFields"),
    ]


def validate_field_manager(manager: str, field: str) -> list[FieldError]:
    """Of a managed field entry, or of the parameter of a request."""
    errors = []
    if len(manager.encode()) > FIELD_MANAGER_LIMIT_BYTES:
        errors.append(too_long(field, FIELD_MANAGER_LIMIT_BYTES))
    offset_bytes = 0
    for character in manager:
        if not character.isprintable():
            wrong = f"invalid character U+{ord(character):04X} (at position {offset_bytes})"
            errors.append(invalid(field, manager, wrong))
        offset_bytes += len(character.encode("utf-8", "replace"))
    return errors


def dns_label_problems(name: str) -> list[str]:
    """The rule of namespaces: a label of a domain name (RFC 1123)."""
    problems = []
    if len(name.encode()) > _DNS_LABEL_LIMIT_BYTES:
        problems.append(f"must be no more than {_DNS_LABEL_LIMIT_BYTES} bytes")
    if _DNS_LABEL_MATCH.fullmatch(name):
        return problems
    if "." in name and not subdomain_problems(name):
        return [*problems, "must not contain dots"]
    sentence = (
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
        "and must start and end with an alphanumeric character"
    )
    examples = f"(e.g. 'my-name',  or '123-abc', regex used for validation is '{_DNS_LABEL}')"
    return [*problems, f"{sentence} {examples}"]


def _name_errors(metadata: ObjectMeta, field: str, name_rule: NameRule) -> list[FieldError]:
    errors = []
    if metadata.generate_name:
        problems = name_rule(metadata.generate_name, True)
        errors += [invalid(f"{field}.generateName", metadata.generate_name, problem) for problem in problems]
    if not metadata.name:
        return [*errors, required(f"{field}.name", "name or generateName is required")]
    return errors + [invalid(f"{field}.name", metadata.name, problem) for problem in name_rule(metadata.name, False)]


def _label_errors(labels: dict[str, str], field: str) -> list[FieldError]:
    errors = []
    for key in sorted(labels):
        errors += [invalid(field, key, problem) for problem in qualified_name_problems(key)]
        errors += [invalid(field, labels[key], problem) for problem in label_value_problems(labels[key])]
    return errors


def _annotation_errors(annotations: dict[str, str], field: str) -> list[FieldError]:
    errors = []
    for key in sorted(annotations):
        errors += [invalid(field, key, problem) for problem in qualified_name_problems(key.lower())]
    if sum(len(text.encode()) for pair in annotations.items() for text in pair) > ANNOTATIONS_LIMIT_BYTES:
        errors.append(too_long(field, ANNOTATIONS_LIMIT_BYTES))
    return errors


def _owner_errors(owners: list[OwnerReference], field: str) -> list[FieldError]:
    errors = []
    controller = ""
    for owner in owners:
        errors += _one_owner_errors(owner, field)
        if not owner.controller:
            continue
        name = f"{owner.kind}/{owner.name}"
        if controller:
            wrong = (
                "Only one reference can have Controller set to true. "
                f'Found "true" in references for {controller} and {name}'
            )
            errors.append(invalid(field, msgspec.to_builtins(owners), wrong))
        controller = controller or name
    return errors


def _one_owner_errors(owner: OwnerReference, field: str) -> list[FieldError]:
    errors = []
    version = owner.api_version.rpartition("/")[2] if owner.api_version.count("/") < 2 else ""
    if not version:
        errors.append(invalid(f"{field}.apiVersion", owner.api_version, "version must not be empty"))
    for name in ("kind", "name", "uid"):
        value = getattr(owner, name)
        if not value:
            errors.append(invalid(f"{field}.{name}", value, "must not be empty"))
    if (owner.api_version, owner.kind) == ("v1", "Event"):
        wrong = "/v1, Kind=Event is disallowed from being an owner"
        errors.append(invalid(field, msgspec.to_builtins(owner), wrong))
    return errors


def _finalizer_errors(finalizers: list[str], field: str) -> list[FieldError]:
    errors = []
    for finalizer in finalizers:
        errors += [invalid(field, finalizer, problem) for problem in qualified_name_problems(finalizer)]
    if {ORPHAN_FINALIZER, FOREGROUND_FINALIZER} <= set(finalizers):
        wrong = f"finalizer {ORPHAN_FINALIZER} and {FOREGROUND_FINALIZER} cannot be both set"
        errors.append(invalid(field, list(finalizers), wrong))
    return errors


def _unqualified_finalizers(metadata: ObjectMeta, field: str) -> list[FieldError]:
    wrong = "name is neither a standard finalizer name nor is it fully qualified"
    return [
        invalid(f"{field}.finalizers[{i}]", finalizer, wrong)
        for i, finalizer in enumerate(metadata.finalizers or [])
        if "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS
    ]


def _managed_fields_errors(entries: list[ManagedFieldsEntry], field: str) -> list[FieldError]:
    errors = []
    for i, entry in enumerate(entries):
        here = f"{field}[{i}]"
        if entry.operation not in ("Apply", "Update"):
            errors.append(invalid(f"{here}.operation", entry.operation, "must be `Apply` or `Update`"))
        if entry.fields_type not in ("", "FieldsV1"):
            errors.append(invalid(f"{here}.fieldsType", entry.fields_type, "must be `FieldsV1`"))
        errors += validate_field_manager(entry.manager, f"{here}.manager")
        if len(entry.subresource.encode()) > SUBRESOURCE_LIMIT_BYTES:
            errors.append(too_long(f"{here}.subresource", SUBRESOURCE_LIMIT_BYTES))
    return errors


def _update_errors(new: ObjectMeta, old: ObjectMeta, field: str) -> list[FieldError]:
    errors = []
    added = sorted(set(new.finalizers or ()) - set(old.finalizers or ()))
    if old.deletion_timestamp is not None and added:
        listed = f"[]string{{{', '.join(quote(finalizer) for finalizer in added)}}}"
        wrong = f"no new finalizers can be added if the object is being deleted, found new finalizers {listed}"
        errors.append(forbidden(f"{field}.finalizers", wrong))
    if not new.resource_version:
        errors.append(invalid(f"{field}.resourceVersion", "", "must be specified for an update"))
    if new.generation < old.generation:
        errors.append(invalid(f"{field}.generation", new.generation, "must not be decremented"))
    pairs: list[tuple[str, Json, Json]] = [
        ("name", new.name, old.name),
        ("namespace", new.namespace, old.namespace),
        ("uid", new.uid, old.uid),
        ("creationTimestamp", new.creation_timestamp, old.creation_timestamp),
        ("deletionTimestamp", new.deletion_timestamp, old.deletion_timestamp),
        (
            "deletionGracePeriodSeconds",
            new.deletion_grace_period_seconds,
            old.deletion_grace_period_seconds,
        ),
    ]
    errors += [invalid(f"{field}.{name}", value, IMMUTABLE) for name, value, before in pairs if value != before]
    return [
        *errors,
        *_label_errors(new.labels or {}, f"{field}.labels"),
        *_annotation_errors(new.annotations or {}, f"{field}.annotations"),
        *_owner_errors(new.owner_references or [], f"{field}.ownerReferences"),
        *_managed_fields_errors(new.managed_fields or [], f"{field}.managedFields"),
    ]
