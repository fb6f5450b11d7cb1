"""The keys of one collection in list order: by namespace, then by name, in byte order (spec: kube-api 6.2.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from service.watch.scope import Key
from service.watch.sorted_names import SortedNames


class Keys:
    def __init__(self, keys: Iterable[Key] = ()) -> None:
        """`keys` are distinct."""
        by_namespace: dict[str, list[str]] = {}
        for namespace, name in keys:
            by_namespace.setdefault(namespace, []).append(name)
        self._names = {namespace: SortedNames(names) for namespace, names in by_namespace.items()}
        self._namespaces = SortedNames(self._names)

    def add(self, namespace: str, name: str) -> None:
        names = self._names.get(namespace)
        if names is None:
            names = self._names[namespace] = SortedNames()
            self._namespaces.add(namespace)
        names.add(name)

    def remove(self, namespace: str, name: str) -> None:
        """Raises KeyError if it is not there."""
        names = self._names[namespace]
        names.remove(name)
        if not names:
            del self._names[namespace]
            self._namespaces.remove(namespace)

    def after(self, namespace: str | None = None, key: Key | None = None) -> Iterator[Key]:
        """Those behind `key`, of one namespace or of all. Nothing may be added or removed meanwhile."""
        for place, start in self._ranges(namespace, key):
            for name in self._names[place].after(start):
                yield Key(place, name)

    def named(self, name: str, namespace: str | None = None, key: Key | None = None) -> Iterator[Key]:
        """Where an object of this name may be, behind `key`, in order."""
        for place in self._namespaces.after() if namespace is None else (namespace,):
            if key is None or key < (place, name):
                yield Key(place, name)

    def count(self, namespace: str | None = None, key: Key | None = None) -> int:
        return sum(self._names[place].count_after(start) for place, start in self._ranges(namespace, key))

    def _ranges(self, namespace: str | None, key: Key | None) -> Iterator[tuple[str, str | None]]:
        """Each namespace with the name behind which to begin."""
        if namespace is not None:
            if namespace in self._names and (key is None or key.namespace <= namespace):
                yield namespace, key.name if key and key.namespace == namespace else None
            return
        if key is None:
            yield from ((place, None) for place in self._namespaces.after())
            return
        if key.namespace in self._names:
            yield key.namespace, key.name
        yield from ((place, None) for place in self._namespaces.after(key.namespace))
