"""Make this image stream, or its status, what the client wants, starting from what it is.

The client's wish is a function of the current object (`transform`): a PUT ignores it, a patch is applied to it, so a
patch that meets a newer version is simply applied again.
"""

from __future__ import annotations

from collections.abc import Callable

from service.api.image_v1 import ImageStream as ImageStreamObject
from service.commands.execute import Decision, State
from service.commands.intention import BaseIntention, whole_stream, with_server_fields
from service.domain import served
from service.domain.draft import Draft
from service.domain.errors import Invalid, NotFound
from service.domain.imagestream import ImageStream
from service.domain.object_meta import validate_any_update, validate_update
from service.domain.stream_changes import STREAM_KIND, check_resource_version, delete, replace, write_status
from service.domain.stream_validation import validate_status, validate_stream


class UpdateImageStream(BaseIntention, kw_only=True):
    """May raise NotFound, Conflict, Invalid, and whatever the transform raises."""

    namespace: str
    name: str
    transform: Callable[[ImageStreamObject], ImageStreamObject]
    status: bool = False
    """Whether this is about the /status subresource."""

    def decide(self, state: State) -> Decision:
        stream = state.stream(self.namespace, self.name)
        if stream is None:
            raise NotFound(self.resource, self.name)
        wanted = self.transform(self.current(stream))
        check_resource_version(stream, wanted.metadata.resource_version)
        old = self.current(stream)
        given = with_server_fields(wanted.metadata, old.metadata)
        wrong = [*validate_any_update(given, old.metadata), *validate_update(given, old.metadata)]
        draft, policy = Draft(self.namespace, self.name, stream), self.around.policy
        if self.status:
            write_status(draft, wanted, self.around)
            wrong += policy.status_limit_errors(draft)
            shown = served.imagestream(draft.existing, self.around.registry)
            wrong += validate_status(shown, old, policy.admission())
        else:
            wrong += replace(draft, wanted, self.around) or policy.limit_errors(draft)
            shown = served.imagestream(draft.existing, self.around.registry)
            wrong += validate_stream(shown, policy.admission(stream))
        if wrong:
            raise Invalid(STREAM_KIND, self.name, wrong)
        self._finish_deletion(draft)
        return Decision(whole_stream(self.namespace, self.name), drafts=(draft,))

    def current(self, stream: ImageStream) -> ImageStreamObject:
        return served.imagestream(stream, self.around.registry, stored=self.status)

    def _finish_deletion(self, draft: Draft) -> None:
        """A stream that is being deleted goes when its last finalizer does (spec: kube-api 4.4.7)."""
        metadata = draft.existing.header.metadata
        if metadata.deletion_timestamp and not metadata.finalizers:
            delete(draft)
