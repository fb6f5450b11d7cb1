"""Import these images, which were fetched before, into the tags of an image stream; the stream may be new.

The decision rests on the whole stream, as an import counts its generation. Keeps: images are registered once by
digest, in the same command as the tags that point at them.
Source: spec: image-api 9.1.3, 9.6. Elsewhere: what becomes of the stream (`domain/imports.py`), the registries
(`importer/`).
"""

from __future__ import annotations

from collections.abc import Mapping

from service.api.image_v1 import Image
from service.commands.execute import Decision, ImageDecision, State, image_aggregate
from service.commands.image_registration import registration
from service.commands.implied_namespaces import refuse_terminating
from service.commands.intention import BaseIntention, refuse_invalid, refuse_over_quota, whole_stream
from service.domain.draft import Draft
from service.domain.errors import Conflict, NotFound, image_resource
from service.domain.imagestream import ImageStream
from service.domain.imports import Imported, NotImported, record_import
from service.domain.tag_changes import ensure_stream
from service.domain.tag_validation import admit_every
from service.eventstore.records import Guard

STREAM = image_resource("imagestream")


class ImportImages(BaseIntention, kw_only=True):
    """May raise NotFound and Conflict for the version, NamespaceTerminating, Forbidden, Invalid."""

    namespace: str
    name: str
    uid: str
    """For the stream, should it be new."""
    resource_version: str
    """That the stream must have; none is any."""
    outcomes: list[Imported | NotImported]
    """In the order in which they are to count"""
    images: Mapping[str, Image]
    """By digest, complete, as they are registered where they are new."""

    def decide(self, state: State) -> Decision:
        refuse_terminating(state, self.namespace, self.resource, self.name)
        stream = state.stream(self.namespace, self.name)
        refuse_other_version(stream, self.name, self.resource_version)
        if stream is None:
            refuse_over_quota(state, self.around, self.resource, self.namespace, self.name)
        draft = Draft(self.namespace, self.name, stream)
        ensure_stream(draft, self.uid, self.around)
        record_import(draft, self.outcomes, self.around.now)
        # Whether its registries are allowed was asked of the import, before anything was fetched.
        refuse_invalid(draft, self.around, [], admit_every)
        new = {name: registration(image) for name, image in self.images.items() if state.image(name) is None}
        guards = (*whole_stream(self.namespace, self.name), *(Guard(image_aggregate(name), None) for name in new))
        return Decision(
            guards,
            images=tuple(ImageDecision(name, None, registered.event) for name, registered in new.items()),
            drafts=(draft,),
            payloads=tuple(payload for registered in new.values() for payload in registered.payloads),
        )


def refuse_other_version(stream: ImageStream | None, name: str, resource_version: str) -> None:
    """Raise NotFound or Conflict unless the stream is as the import knows it (spec: image-api 9.1.3)."""
    if not resource_version:
        return
    if stream is None:
        raise NotFound(STREAM, name)
    if resource_version != str(stream.changed):
        why = f'the image stream was updated from "{resource_version}" to "{stream.changed}"'
        raise Conflict(STREAM, name, why)
