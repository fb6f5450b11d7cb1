"""Register, change or delete this image."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from service.api.image_v1 import Image
from service.api.meta_v1 import DeleteOptions, ObjectMeta
from service.commands.delete_imagestream import finalizers_after, marked_for_deletion, refuse_precondition
from service.commands.execute import Decision, ImageDecision, State, image_aggregate
from service.commands.image_registration import Registration, change
from service.commands.intention import BaseIntention
from service.domain.errors import IMAGE_GROUP, AlreadyExists, Conflict, GroupResource, Invalid, NotFound
from service.domain.events import ImageDeleted
from service.domain.field_errors import invalid
from service.domain.image import ImageState
from service.domain.image_metadata import keep_immutables
from service.domain.image_validation import validate_image
from service.domain.object_meta import validate_update
from service.eventstore.records import Guard

IMAGE_KIND = GroupResource(IMAGE_GROUP, "Image")


class RegisterImage(BaseIntention, kw_only=True):
    """May raise AlreadyExists."""

    name: str
    registration: Registration

    def decide(self, state: State) -> Decision:
        if state.image(self.name) is not None:
            raise AlreadyExists(self.resource, self.name)
        decided = ImageDecision(self.name, None, self.registration.event)
        return Decision(_guard(self.name), images=(decided,), payloads=self.registration.payloads)


class ChangeImage(BaseIntention, kw_only=True):
    """May raise NotFound, Conflict, Invalid, and what the transform raises."""

    name: str
    texts: Mapping[str, str]
    """Manifest and config by the digest they are stored under, as read before."""
    transform: Callable[[Image], Image]

    def decide(self, state: State) -> Decision:
        stored = state.image(self.name)
        if stored is None:
            raise NotFound(self.resource, self.name)
        current = with_texts(stored, self.texts)
        wanted = self.transform(with_texts(stored, self.texts))
        given = wanted.metadata.resource_version
        if given in ("", "0"):
            wrong = invalid("metadata.resourceVersion", 0, "must be specified for an update")
            raise Invalid(self.resource, self.name, [wrong])
        if given != str(stored.changed):
            raise Conflict(self.resource, self.name)
        wanted = keep_immutables(wanted, current)
        wanted.metadata = _kept(wanted.metadata, current.metadata)
        errors = [*validate_update(wanted.metadata, current.metadata), *validate_image(wanted)]
        if errors:
            raise Invalid(IMAGE_KIND, self.name, errors)
        if wanted.metadata.deletion_timestamp and not wanted.metadata.finalizers:
            return Decision(_guard(self.name), images=(ImageDecision(self.name, stored, ImageDeleted()),))
        if wanted == current:
            return Decision()
        event, payloads = change(wanted)
        return Decision(_guard(self.name), images=(ImageDecision(self.name, stored, event),), payloads=payloads)


class DeleteImage(BaseIntention, kw_only=True):
    """May raise NotFound, Conflict. An image that finalizers hold is only marked."""

    name: str
    options: DeleteOptions
    deleted: ObjectMeta | None = None
    """What was deleted, once decided."""

    def decide(self, state: State) -> Decision:
        stored = state.image(self.name)
        if stored is None:
            raise NotFound(self.resource, self.name)
        image = stored.decode()
        self.deleted = image.metadata
        refuse_precondition(IMAGE_KIND, self.name, image.metadata, stored.changed, self.options)
        finalizers = finalizers_after(image.metadata.finalizers or [], self.options)
        if not finalizers:
            return Decision(_guard(self.name), images=(ImageDecision(self.name, stored, ImageDeleted()),))
        marked = marked_for_deletion(image.metadata, finalizers, self.around.now)
        if marked == image.metadata:
            return Decision()
        image.metadata = marked
        event = msgspec.structs.replace(change(image)[0], manifest=stored.manifest, config=stored.config)
        return Decision(_guard(self.name), images=(ImageDecision(self.name, stored, event),))


def with_texts(stored: ImageState, texts: Mapping[str, str]) -> Image:
    """The image with its manifest and config. Raises KeyError if they are not the ones that were read."""
    image = stored.decode()
    image.docker_image_manifest = texts[stored.manifest] if stored.manifest else ""
    image.docker_image_config = texts[stored.config] if stored.config else ""
    return image


def _kept(metadata: ObjectMeta, own: ObjectMeta) -> ObjectMeta:
    return msgspec.structs.replace(
        metadata,
        uid=own.uid,
        namespace="",
        self_link="",
        resource_version=own.resource_version,
        creation_timestamp=own.creation_timestamp,
        generation=own.generation,
        deletion_timestamp=own.deletion_timestamp,
        deletion_grace_period_seconds=own.deletion_grace_period_seconds,
    )


def _guard(name: str) -> tuple[Guard, ...]:
    return (Guard(image_aggregate(name), None),)
