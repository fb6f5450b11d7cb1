"""Make this image stream, or its status, what the client wants, starting from what it is.

The client's wish is a function of the current object (`transform`): a PUT ignores it, a patch is applied to it, so a
patch that meets a newer version is simply applied again.
"""

from __future__ import annotations

from collections.abc import Callable

from service.api.image_v1 import ImageStream as ImageStreamObject
from service.commands.execute import Decision, State
from service.commands.intention import BaseIntention, refuse_invalid, whole_stream
from service.domain import served
from service.domain.draft import Draft
from service.domain.errors import Conflict, Invalid, NotFound
from service.domain.imagestream import ImageStream
from service.domain.object_meta import validate_update
from service.domain.stream_changes import STREAM_KIND, check_resource_version, delete, replace, write_status


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
        refuse_other_uid(wanted, stream, self)
        check_resource_version(stream, wanted.metadata.resource_version)
        draft = Draft(self.namespace, self.name, stream)
        errors = []
        if self.status:
            write_status(draft, wanted, self.around)
        else:
            errors = replace(draft, wanted, self.around)
        wrong = validate_update(wanted.metadata, self.current(stream).metadata)
        if wrong:
            raise Invalid(STREAM_KIND, self.name, [*errors, *wrong])
        refuse_invalid(draft, self.around, errors)
        self._finish_deletion(draft)
        return Decision(whole_stream(self.namespace, self.name), drafts=(draft,))

    def current(self, stream: ImageStream) -> ImageStreamObject:
        return served.imagestream(stream, self.around.registry, stored=self.status)

    def _finish_deletion(self, draft: Draft) -> None:
        """A stream that is being deleted goes when its last finalizer does (spec: kube-api 4.4.7)."""
        metadata = draft.existing.header.metadata
        if metadata.deletion_timestamp and not metadata.finalizers:
            delete(draft)


def refuse_other_uid(wanted: ImageStreamObject, stream: ImageStream, intention: UpdateImageStream) -> None:
    """The uid in a body is a precondition (spec: kube-api 4.4.2)."""
    given = wanted.metadata.uid
    if given and given != stream.uid:
        why = f"Precondition failed: UID in precondition: {given}, UID in object meta: {stream.uid}"
        raise Conflict(intention.resource, intention.name, why)
