"""Map a pushed image to a tag, unless an administrator keeps it out: its registry, its size, or too many of its kind.

The image's own size is asked before anything else (`refuse_large_image`), as the admission of the reference does it;
registries and counts are about the tags that move, so they are asked of the decision.
Source: spec: image-api 8.3, 11.4, 11.5. Elsewhere: the mapping itself (`map_image.py`).
"""

from __future__ import annotations

from collections.abc import Callable

from service.api.image_v1 import Image
from service.commands.execute import Decision, State
from service.commands.implied_namespaces import refuse_terminating
from service.commands.map_image import MapImage
from service.domain.errors import Forbidden, GroupResource, Invalid
from service.domain.image_limits import Limits, image_excess
from service.domain.stream_changes import STREAM_KIND


class MapWithinLimits(MapImage, kw_only=True):
    """May also raise NamespaceTerminating, and Invalid, which names the image stream."""

    def decide(self, state: State) -> Decision:
        refuse_terminating(state, self.namespace, self.resource, self.name)
        decision = super().decide(state)
        for draft in decision.drafts:
            errors = self.around.policy.move_errors(draft)
            if errors:
                raise Invalid(STREAM_KIND, draft.name, errors)
        return decision


def refuse_large_image(resource: GroupResource, name: str, limits: Limits, complete: Callable[[], Image]) -> None:
    """Raise Forbidden if the image is larger than the namespace allows; it is completed only where there is a limit."""
    if not limits.storage:
        return
    size_bytes = (complete().docker_image_metadata or {}).get("Size", 0)
    excess = image_excess(limits, size_bytes if isinstance(size_bytes, int) else 0)
    if excess is not None:
        raise Forbidden(resource, name, excess)
