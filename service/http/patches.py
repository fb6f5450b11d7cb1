"""From a patch in a body to a function of the current document: JSON, merge and strategic patches, and apply.

Keeps: a patch is parsed once, and applied to each version of the object it meets.
Elsewhere: the algorithms (`merge/`), names, decoding and field managers of the result (`updates.py`).
Source: spec: kube-api 5, 8.5, 8.6.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import msgspec

from service.api.decoding import DecodeError, Parsed, parse_json
from service.api.json_types import Json, JsonObject
from service.api.yaml_documents import parse_yaml, strict_error
from service.domain.errors import BadRequest
from service.merge.go_values import json_kind, plain
from service.merge.json_patch import apply_json_patch, unknown_members
from service.merge.merge_patch import apply_merge_patch
from service.merge.schema import StructType
from service.merge.strategic_patch import apply_strategic_patch

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
PATCH_TYPES = (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH)


Applier = Callable[[JsonObject | None, JsonObject], JsonObject]
"""Lays a configuration over the live object, or over nothing."""


class Patch(msgspec.Struct, frozen=True):
    """A parsed patch. `apply` gives the new document of an object, of None for one that is to be created."""

    apply: Callable[[JsonObject | None], JsonObject]
    shown: Callable[[JsonObject], str]
    """How an error quotes the patched document."""
    warnings: list[str] = []
    """What is odd about the patch itself."""
    creates: bool = False
    """Whether the patch may make an object that does not exist, and brings its own field managers: apply does."""


def parse_patch(schema: StructType, media_type: str, body: bytes, *, strict: bool, apply_as: Applier) -> Patch:
    """Raises BadRequest for a body that is no patch of this type. `apply_as` is server-side apply by whoever asks."""
    match media_type:
        case "application/apply-patch+yaml":
            return _apply_patch(body, apply_as, strict=strict)
        case "application/json-patch+json":
            parsed = _parsed(body, "error decoding patch: ")
            odd = [*unknown_members(parsed.document), *_duplicates(parsed, "json patch ")]
            return Patch(partial(_existing, partial(_flip, apply_json_patch, parsed.document)), _as_json, odd)
        case "application/merge-patch+json":
            parsed = _parsed(body, "error decoding patch: ")
            merge = partial(_flip, apply_merge_patch, parsed.document)
            return Patch(partial(_existing, merge), _as_json, _duplicates(parsed))
        case _:
            parsed = _parsed(body, "")
            strategic = partial(_strategic, schema, parsed.document)
            shown = plain(parsed.document)
            return Patch(partial(_existing, strategic), lambda document: shown, _duplicates(parsed))


def _apply_patch(body: bytes, apply_as: Applier, *, strict: bool) -> Patch:
    try:
        parsed = parse_yaml(body)
    except DecodeError as error:
        raise BadRequest(f"error decoding YAML: error converting YAML to JSON: {error}") from error
    document = {} if parsed.document is None else parsed.document
    if not isinstance(document, dict):
        go_type = "Go value of type map[string]interface {}"
        why = f"while decoding JSON: json: cannot unmarshal {json_kind(document)} into {go_type}"
        raise BadRequest(f"error decoding YAML: error unmarshaling JSON: {why}")
    if strict and parsed.repeated_lines:
        repeated = strict_error(parsed.repeated_lines)
        raise BadRequest(f"error strict decoding YAML: error converting YAML to JSON: {repeated}")
    return Patch(partial(_flip, apply_as, document), _as_json, list(parsed.repeated_lines), creates=True)


def _flip(function: Callable[..., JsonObject], patch: Json, document: JsonObject | None) -> JsonObject:
    return function(document, patch)


def _strategic(schema: StructType, patch: Json, document: JsonObject) -> JsonObject:
    return apply_strategic_patch(schema, document, patch)


def _existing(patch: Callable[[JsonObject], JsonObject], document: JsonObject | None) -> JsonObject:
    return patch(document or {})


def _parsed(body: bytes, prefix: str) -> Parsed:
    try:
        return parse_json(body)
    except DecodeError as error:
        raise BadRequest(f"{prefix}{error}") from error


def _duplicates(parsed: Parsed, prefix: str = "") -> list[str]:
    return [f'{prefix}duplicate field "{path}"' for path in parsed.duplicates]


def _as_json(document: JsonObject) -> str:
    return json.dumps(dict(sorted(document.items())), separators=(",", ":"), ensure_ascii=False)
