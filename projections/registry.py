"""Every projection there is, by its own name and by those of its views.

A new projection is a module of its own, a part of schema.sql between two marks, and one line here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from projections.images import Images
from projections.imagestreams import ImageStreams
from projections.namespaces import Namespaces
from projections.projection import Projection

PROJECTIONS: Final[tuple[type[Projection], ...]] = (ImageStreams, Images, Namespaces)


class UnknownProjection(Exception):
    """No projection and no view has this name."""


def every_name() -> list[str]:
    return sorted({name for kind in PROJECTIONS for name in (kind.name, *kind.views)})


def projections_of(names: Iterable[str]) -> list[Projection]:
    """New instances of the projections that the names mean, each once; of all of them for no names.

    Raises UnknownProjection.
    """
    wanted = set(names) or {kind.name for kind in PROJECTIONS}
    if unknown := sorted(wanted - set(every_name())):
        raise UnknownProjection(
            f"no projection or view is called {', '.join(unknown)}; there are {', '.join(every_name())}"
        )
    return [kind() for kind in PROJECTIONS if wanted & {kind.name, *kind.views}]
