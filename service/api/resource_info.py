"""What an API resource is called and what it can do: behind discovery, OpenAPI, routing and authorization."""

from __future__ import annotations

import msgspec


class Subresource(msgspec.Struct, frozen=True):
    name: str
    kind: str
    verbs: tuple[str, ...]
    struct: type[msgspec.Struct]
    group: str | None = None
    """Set where the kind lives in another group than the resource."""
    version: str | None = None


class ResourceInfo(msgspec.Struct, frozen=True):
    group: str
    version: str
    plural: str
    singular: str
    kind: str
    namespaced: bool
    verbs: tuple[str, ...]
    """Sorted, as discovery prints them."""
    struct: type[msgspec.Struct]
    list_struct: type[msgspec.Struct] | None = None
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[Subresource, ...] = ()
    created_anywhere: bool = False
    """Whether POST is also served at the path of all namespaces, for objects that name theirs."""

    @property
    def group_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def root(self) -> str:
        """The path under which its version is served."""
        return f"/apis/{self.group_version}" if self.group else f"/api/{self.version}"
