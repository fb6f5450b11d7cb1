"""Strategic merge of lists that are maps by a key, or sets of scalars.

Keeps the order rule: items named by an ordering directive come in its order, else items of the patch in the patch's;
items that only the live list has keep their order, and their place relative to the others as far as that allows.
Elsewhere: which lists these are (`schema.py`), the maps around and inside them (`strategic_patch.py`).
Source: spec: kube-api 5.3.2, 5.3.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from service.api.json_types import Json, JsonObject
from service.merge.errors import PatchFailed, StrategicPatchError
from service.merge.go_values import compact_json, plain
from service.merge.schema import ListType, ScalarType

PATCH = "$patch"

MergeItems: TypeAlias = Callable[[JsonObject, JsonObject], JsonObject]


def merge_lists(
    schema: ListType, live: list[Json], patch: list[Json], merge_items: MergeItems, *, deleting: bool
) -> list[Json]:
    """The live list with the patch's in it, or, for a set, without them.

    Raises PatchFailed for lists of lists, StrategicPatchError for items without their key or of mixed types.
    """
    if not live and not patch:
        return live
    if _item_type(live, patch) is dict:
        if not schema.key:
            kind = schema.element.kind if isinstance(schema.element, ScalarType) else "struct"
            raise StrategicPatchError(f"cannot merge lists without merge key for {kind}")
        live, patch = _obey_directives(schema.key, live, patch)
        merged = _merge_by_key(schema.key, live, patch, merge_items)
    elif deleting:
        gone = set(map(compact_json, patch))
        return [item for item in live if compact_json(item) not in gone]
    else:
        merged = list({compact_json(item): item for item in [*live, *patch]}.values())
    return in_order(schema.key, merged, patch, live)


def in_order(key: str, items: list[Json], order: list[Json], live: list[Json]) -> list[Json]:
    """The items by the order rule of this module; `order` is the directive's list or the patch's."""
    wanted, lived = _places(key, order), _places(key, live)
    named = [(_name(key, item), item) for item in items]
    ordered = sorted((n for n in named if n[0] in wanted), key=lambda n: wanted[n[0]])
    others = sorted((n for n in named if n[0] not in wanted), key=lambda n: lived.get(n[0], len(lived)))
    result: list[Json] = []
    for name, item in ordered:
        while others and name in lived and lived.get(others[0][0], len(lived)) < lived[name]:
            result.append(others.pop(0)[1])
        result.append(item)
    return result + [item for _, item in others]


def check_order(key: str, patch: list[Json], order: list[Json]) -> None:
    """Raise StrategicPatchError unless the patch's items, but for deletions, come in the directive's order."""
    if not patch or not order:
        return
    directive = iter([_name(key, item) for item in order])
    for item in patch:
        if isinstance(item, dict) and PATCH in item:
            continue
        if _name(key, item) not in directive:
            raise StrategicPatchError(
                f"The order in patch list:\n{plain(patch)}\n doesn't match $setElementOrder list:\n{plain(order)}\n"
            )


def _obey_directives(key: str, live: list[Json], patch: list[Json]) -> tuple[list[Json], list[Json]]:
    """The live items and the patch's that are left to be merged."""
    rest: list[Json] = []
    replace = False
    for item in patch:
        match item.get(PATCH) if isinstance(item, dict) else None:
            case None:
                rest.append(item)
            case "delete":
                gone = _name(key, item)
                live = [kept for kept in live if _name_or_none(key, kept) != gone]
            case "replace":
                replace = True
            case "merge":
                raise StrategicPatchError("merging lists cannot yet be specified in the patch")
            case unknown:
                raise StrategicPatchError(f"unknown patch type: {plain(unknown)} in map: {plain(item)}")
    return (rest, []) if replace else (live, rest)


def _merge_by_key(key: str, live: list[Json], patch: list[Json], merge_items: MergeItems) -> list[Json]:
    merged = list(live)
    places = {name: i for i, item in reversed(list(enumerate(live))) if (name := _name_or_none(key, item)) is not None}
    for item in patch:
        name = _name(key, item)
        change = item if isinstance(item, dict) else {}
        if name in places:
            current = merged[places[name]]
            merged[places[name]] = merge_items(current if isinstance(current, dict) else {}, change)
        else:
            places[name] = len(merged)
            merged.append(merge_items({}, change))
    return merged


def _places(key: str, items: Iterable[Json]) -> dict[str, int]:
    """The first place of each item, by name."""
    places: dict[str, int] = {}
    for place, item in enumerate(items):
        places.setdefault(_name(key, item), place)
    return places


def _name(key: str, item: Json) -> str:
    """What tells the item from others, spelled so that equal means equal in Go, types and all."""
    if not key:
        return compact_json(item)
    name = _name_or_none(key, item)
    if name is None:
        raise StrategicPatchError(f"map: {plain(item)} does not contain declared merge key: {key}")
    return name


def _name_or_none(key: str, item: Json) -> str | None:
    return compact_json(item[key]) if isinstance(item, dict) and key in item else None


def _item_type(*lists: list[Json]) -> type:
    """The one type of all items, of which there must be some."""
    types = {type(item) for items in lists for item in items}
    if list in types:
        raise PatchFailed("lists of lists are not supported")
    if len(types) > 1:
        raise StrategicPatchError(f"list element types are not identical: {plain(list(lists))}")
    return types.pop()
