"""Delete this tag of an image stream: its spec and its history leave the views."""

from __future__ import annotations

from service.api.meta_v1 import DeleteOptions
from service.commands.execute import Decision, State
from service.commands.intention import BaseIntention, around_tags
from service.domain.draft import Draft
from service.domain.errors import Conflict, NotFound
from service.domain.tag_changes import delete_tag


class DeleteTag(BaseIntention, kw_only=True):
    """May raise NotFound, Conflict. Source: spec: image-api 5.6."""

    namespace: str
    stream: str
    tag: str
    options: DeleteOptions

    def decide(self, state: State) -> Decision:
        stream = state.stream(self.namespace, self.stream)
        if stream is None:
            raise NotFound(self.resource, f"{self.stream}:{self.tag}")
        if self.tag not in stream.tags:
            raise NotFound(self.resource, f"{self.stream}:{self.tag}")
        given = self.options.preconditions
        if given is not None and given.uid and given.uid != stream.uid:
            raise Conflict(self.resource, f"{self.stream}:{self.tag}", "the UID precondition was not met")
        draft = Draft(self.namespace, self.stream, stream)
        delete_tag(draft, self.tag)
        return Decision(around_tags(self.namespace, self.stream, stream, self.tag), drafts=(draft,))
