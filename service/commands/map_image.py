"""Map this pushed image to that tag of an image stream: an image registry's word that a push is complete."""

from __future__ import annotations

from collections.abc import Callable

from service.commands.execute import Decision, ImageDecision, State, image_aggregate
from service.commands.image_registration import Registration
from service.commands.intention import BaseIntention, around_tags
from service.domain import mapping
from service.domain.draft import Draft
from service.domain.errors import STALE, Conflict, NotFound
from service.domain.imagestream import Tag
from service.eventstore.records import Guard


class MapImage(BaseIntention, kw_only=True):
    """May raise NotFound for the stream; Conflict when somebody else moved the tag meanwhile (spec: image-api 8.8)."""

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


def _head(tag: Tag | None) -> tuple[str, str] | None:
    return (tag.head.docker_image_reference, tag.head.image) if tag and tag.head else None
