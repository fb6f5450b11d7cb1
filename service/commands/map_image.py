"""Map this pushed image to that tag of an image stream: an image registry's word that a push is complete.

An administrator may keep an image out: for its registry, its size, or too many of its kind. The image's own size is
asked before anything else (`refuse_large_image`), as the admission of the reference does it; registries and counts are
about the tags that move, so they are asked of what was decided.
Source: spec: image-api 8.3, 11.4, 11.5. Elsewhere: what mapping does to a stream (`domain/mapping.py`).
"""

from __future__ import annotations

from collections.abc import Callable

from service.api.image_v1 import Image
from service.commands.execute import Decision, ImageDecision, State, image_aggregate
from service.commands.image_registration import Registration
from service.commands.implied_namespaces import refuse_terminating
from service.commands.intention import BaseIntention, around_tags
from service.domain import mapping
from service.domain.draft import Draft
from service.domain.errors import STALE, Conflict, Forbidden, GroupResource, Invalid, NotFound
from service.domain.image_limits import Limits, image_excess
from service.domain.imagestream import Tag
from service.domain.stream_changes import STREAM_KIND
from service.eventstore.records import Guard


class MapImage(BaseIntention, kw_only=True):
    """May raise NotFound for the stream; NamespaceTerminating; Invalid, which names the image stream; and Conflict when
    somebody else moved the tag meanwhile (spec: image-api 8.8).
    """

    namespace: str
    name: str
    tag: str
    image: str
    reference: str
    managed: bool
    """Whether the pushed image says that the integrated registry holds it."""
    register: Callable[[], Registration]
    """How the image is recorded if it is new; worked out only then."""
    seen: tuple[str, str] | None = None
    """(reference, image) of the tag's newest entry when this was last decided"""

    def decide(self, state: State) -> Decision:
        refuse_terminating(state, self.namespace, self.resource, self.name)
        stream = state.stream(self.namespace, self.name)
        if stream is None:
            raise NotFound(self.resource, self.name)
        self.seen = _head(stream.tags.get(self.tag))
        guards = around_tags(self.namespace, self.name, stream, self.tag)
        known = state.image(self.image)
        draft = Draft(self.namespace, self.name, stream)
        reference = self.reference
        if known is not None and self.managed:
            repository = self.around.registry.repository(
                self.namespace, self.name, stream.header.docker_image_repository
            )
            reference = f"{repository}@{self.image}"
        mapping.map_image(draft, self.tag, self.image, reference, self.around.now)
        errors = self.around.policy.move_errors(draft)
        if errors:
            raise Invalid(STREAM_KIND, draft.name, errors)
        if known is not None:
            return Decision(guards, drafts=(draft,))
        registration = self.register()
        guards = (*guards, Guard(image_aggregate(self.image), None))
        registered = ImageDecision(self.image, None, registration.event)
        return Decision(guards, images=(registered,), drafts=(draft,), payloads=registration.payloads)

    def overtaken(self, state: State) -> None:
        stream = state.stream(self.namespace, self.name)
        if stream is None or self.seen is None:
            return
        if _head(stream.tags.get(self.tag)) != self.seen:
            raise Conflict(self.resource, self.name, STALE)


def refuse_large_image(resource: GroupResource, name: str, limits: Limits, complete: Callable[[], Image]) -> None:
    """Raise Forbidden if the image is larger than the namespace allows; it is completed only where there is a limit."""
    if not limits.storage:
        return
    size_bytes = (complete().docker_image_metadata or {}).get("Size", 0)
    excess = image_excess(limits, size_bytes if isinstance(size_bytes, int) else 0)
    if excess is not None:
        raise Forbidden(resource, name, excess)


def _head(tag: Tag | None) -> tuple[str, str] | None:
    return (tag.head.docker_image_reference, tag.head.image) if tag and tag.head else None
