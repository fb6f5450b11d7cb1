"""Delete this image stream, or mark it for deletion while finalizers hold it."""

from __future__ import annotations

import msgspec

from service.api.meta_v1 import DeleteOptions, ObjectMeta
from service.commands.execute import Decision, State
from service.commands.intention import BaseIntention, whole_stream
from service.domain.draft import Draft
from service.domain.errors import Conflict, GroupResource, NotFound
from service.domain.events import ImageStreamChanged
from service.domain.imagestream import ImageStream
from service.domain.stream_changes import STREAM_KIND, delete, tell_heirs

ORPHAN, FOREGROUND = "orphan", "foregroundDeletion"


class DeleteImageStream(BaseIntention, kw_only=True):
    """May raise NotFound, Conflict. Source: spec: kube-api 4.5."""

    namespace: str
    name: str
    options: DeleteOptions
    uid: str = ""
    """Of the stream, once decided."""

    def decide(self, state: State) -> Decision:
        stream = state.stream(self.namespace, self.name)
        if stream is None:
            raise NotFound(self.resource, self.name)
        refuse_precondition(STREAM_KIND, self.name, stream.header.metadata, stream.changed, self.options)
        self.uid = stream.uid
        draft = Draft(self.namespace, self.name, stream)
        finalizers = finalizers_after(stream.header.metadata.finalizers or [], self.options)
        if finalizers:
            self._mark(draft, stream, finalizers)
        else:
            delete(draft)
        return Decision(whole_stream(self.namespace, self.name), drafts=(draft,))

    def _mark(self, draft: Draft, stream: ImageStream, finalizers: list[str]) -> None:
        metadata = marked_for_deletion(stream.header.metadata, finalizers, self.around.now)
        if metadata != stream.header.metadata:
            draft.emit(ImageStreamChanged(msgspec.structs.replace(stream.header, metadata=metadata)))
            tell_heirs(draft)


def refuse_precondition(
    kind: GroupResource, name: str, metadata: ObjectMeta, changed: int, options: DeleteOptions
) -> None:
    """Raise Conflict if the object is not the one the client means (spec: kube-api 4.5.3)."""
    given = options.preconditions
    if given is None:
        return
    if given.uid is not None and given.uid != metadata.uid:
        why = f"the UID in the precondition ({given.uid}) does not match the UID in record ({metadata.uid})."
        raise Conflict(kind, name, f"{why} The object might have been deleted and then recreated")
    if given.resource_version is not None and given.resource_version != str(changed):
        why = f"the ResourceVersion in the precondition ({given.resource_version}) does not match the ResourceVersion"
        raise Conflict(kind, name, f"{why} in record ({changed}). The object might have been modified")


def finalizers_after(present: list[str], options: DeleteOptions) -> list[str]:
    """The finalizers once the deletion policy has had its say (spec: kube-api 4.5.5)."""
    policy = options.propagation_policy
    if options.orphan_dependents is not None:
        policy = "Orphan" if options.orphan_dependents else "Background"
    if policy is None:
        return present
    others = [f for f in present if f not in (ORPHAN, FOREGROUND)]
    added = {"Orphan": [ORPHAN], "Foreground": [FOREGROUND]}.get(policy, [])
    return [*others, *added]


def marked_for_deletion(metadata: ObjectMeta, finalizers: list[str] | None, now: str) -> ObjectMeta:
    first = metadata.deletion_timestamp is None
    return msgspec.structs.replace(
        metadata,
        finalizers=finalizers,
        deletion_timestamp=metadata.deletion_timestamp or now,
        deletion_grace_period_seconds=0,
        generation=metadata.generation + 1 if first and metadata.generation else metadata.generation,
    )
