"""Is an applied configuration of the type it says? Every field known, every value of its kind, every item told apart.

Keeps: the sentences, and that all problems are told at once except behind an unknown field or an unnamed item, where
the reference stops too. Elsewhere: what the values may be (the resource's own validation, after the merge).
Source: spec: kube-api 5.4.2.
"""

from __future__ import annotations

from collections.abc import Iterator

from service.api.json_types import Json, JsonObject
from service.merge.errors import TypedPatchError
from service.merge.go_values import plain, syntax, type_name
from service.merge.path_elements import FIELD, INDEX, Path, display, display_element
from service.merge.schema import FreeFormType, ListType, MapType, ScalarType, Schema, StructType
from service.merge.structure import UnnamedItem, field_schema, item_element


def check_typed(schema: StructType, config: JsonObject, described: str) -> None:
    """Raise TypedPatchError if the configuration breaks the schema; `described` says which object it is for."""
    if problems := told(schema, config):
        raise TypedPatchError(f"failed to create typed patch object ({described}): {problems}")


def told(schema: Schema, value: Json) -> str:
    """All problems in one text; empty if there are none."""
    problems = list(problems_of(schema, value))
    return "\n  ".join(["errors:", *problems]) if len(problems) > 1 else "".join(problems)


def problems_of(schema: Schema, value: Json, path: Path = ()) -> Iterator[str]:
    """A sentence for each place where the value is not what the schema says; null is always fine."""
    if value is None:
        return
    match schema:
        case ScalarType():
            yield from _scalar_problems(schema, value, path)
        case StructType() | MapType():
            yield from _map_problems(schema, value, path)
        case ListType():
            yield from _list_problems(schema, value, path)
        case FreeFormType():
            return


def _scalar_problems(schema: ScalarType, value: Json, path: Path) -> Iterator[str]:
    match schema.kind:
        case "string":
            if not isinstance(value, str):
                yield _at(path, f"expected string, got &value.valueUnstructured{{Value:{syntax(value)}}}")
        case "numeric":
            if isinstance(value, bool) or not isinstance(value, int | float):
                yield _at(path, f"expected numeric (int or float), got {type_name(value)}")
        case "boolean":
            if not isinstance(value, bool):
                yield _at(path, f"expected boolean, got {_shown(value)}")


def _map_problems(schema: StructType | MapType, value: Json, path: Path) -> Iterator[str]:
    if not isinstance(value, dict):
        yield _at(path, f"expected map, got {_shown(value)}")
        return
    for name, item in value.items():
        below = (*path, FIELD + name)
        if isinstance(schema, StructType) and name not in schema.fields:
            yield _at(below, "field not declared in schema")
            return
        yield from problems_of(field_schema(schema, name), item, below)


def _list_problems(schema: ListType, value: Json, path: Path) -> Iterator[str]:
    if not isinstance(value, list):
        yield _at(path, f"expected list, got {_shown(value)}")
        return
    seen = set()
    for index, item in enumerate(value):
        element = f"{INDEX}{index}"
        if schema.strategy != "atomic":
            try:
                element = item_element(schema, item)
            except UnnamedItem as error:
                yield _at(path, f"element {index}: {error}")
                return
            if element in seen:
                yield _at(path, f"duplicate entries for key {display_element(element)}")
            seen.add(element)
        yield from problems_of(schema.element, item, (*path, element))


def _at(path: Path, problem: str) -> str:
    return f"{display(path)}: {problem}" if path else problem


def _shown(value: Json) -> str:
    """How a value prints itself where it was expected to be another kind."""
    return f"&{{{plain(value)}}}"
