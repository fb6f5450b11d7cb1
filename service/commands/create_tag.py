"""Create the spec of a tag, through ImageStreamTag or ImageTag; the stream comes into being with its first tag."""

from __future__ import annotations

from service.api.image_v1 import TagReference
from service.commands.execute import Decision, State
from service.commands.implied_namespaces import refuse_terminating
from service.commands.intention import BaseIntention, around_tags, refuse_invalid, refuse_over_quota
from service.domain.draft import Draft
from service.domain.errors import AlreadyExists, GroupResource
from service.domain.tag_changes import ensure_stream, set_tag


class CreateTag(BaseIntention, kw_only=True):
    """May raise Forbidden, AlreadyExists (a tag that exists only in the status does not count), Invalid."""

    namespace: str
    stream: str
    tag: str
    spec: TagReference | None
    """None makes only the stream (spec: image-api 5.4.2)."""
    uid: str
    """For the stream, should it be new."""
    existing_as: GroupResource
    """The resource an AlreadyExists names; the two tag resources differ here."""

    def decide(self, state: State) -> Decision:
        refuse_terminating(state, self.namespace, self.resource, f"{self.stream}:{self.tag}")
        stream = state.stream(self.namespace, self.stream)
        if stream is None:
            refuse_over_quota(state, self.around, self.resource, self.namespace, f"{self.stream}:{self.tag}")
        known = stream.tags.get(self.tag) if stream else None
        if known is not None and known.spec is not None:
            raise AlreadyExists(self.existing_as, f"{self.stream}:{self.tag}")
        draft = Draft(self.namespace, self.stream, stream)
        ensure_stream(draft, self.uid, self.around)
        errors = set_tag(draft, self.tag, self.spec, self.around) if self.spec else []
        refuse_invalid(draft, self.around, errors)
        return Decision(around_tags(self.namespace, self.stream, draft.stream, self.tag), drafts=(draft,))
