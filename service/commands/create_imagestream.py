"""Create this image stream."""

from __future__ import annotations

from service.api.image_v1 import ImageStream as ImageStreamObject
from service.commands.execute import Decision, State
from service.commands.intention import BaseIntention, already_exists, refuse_invalid, refuse_over_quota, whole_stream
from service.domain.draft import Draft
from service.domain.stream_changes import create


class CreateImageStream(BaseIntention, kw_only=True):
    """`wanted.metadata` has name, namespace, uid and creationTimestamp. May raise Forbidden, Invalid, AlreadyExists."""

    wanted: ImageStreamObject

    def decide(self, state: State) -> Decision:
        namespace, name = self.wanted.metadata.namespace, self.wanted.metadata.name
        existing = state.stream(namespace, name)
        if existing is None:
            refuse_over_quota(state, self.around, self.resource, namespace, name)
        draft = Draft(namespace, name, None)
        errors = create(draft, self.wanted, self.around)
        refuse_invalid(draft, self.around, errors)
        if existing is not None:
            raise already_exists(self.resource, name, existing.header.metadata)
        return Decision(whole_stream(namespace, name), drafts=(draft,))
