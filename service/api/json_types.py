"""The types of plain JSON documents, for code that handles them before they become Structs.

The recursive alias is for the type checker; msgspec, which reads annotations at run time, sees an open document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
    JsonObject: TypeAlias = dict[str, Json]
else:
    Json = Any
    JsonObject = dict[str, Any]
