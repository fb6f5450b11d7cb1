"""The types of plain JSON documents, for code that handles them before they become Structs (patches, field sets, tables)."""

from __future__ import annotations

from typing import TypeAlias

Json: TypeAlias = "None | bool | int | float | str | list[Json] | dict[str, Json]"
JsonObject: TypeAlias = "dict[str, Json]"
