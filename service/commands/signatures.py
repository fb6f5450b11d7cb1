"""Sign this image, or take a signature off it."""

from __future__ import annotations

from service.api.image_v1 import ImageSignature
from service.commands.execute import Decision, ImageDecision, State, image_aggregate
from service.commands.intention import BaseIntention
from service.domain.errors import AlreadyExists, GroupResource, NotFound, image_resource
from service.domain.events import ImageSignatureRemoved, ImageSigned
from service.eventstore.records import Guard

IMAGES = image_resource("images")


class SignImage(BaseIntention, kw_only=True):
    """May raise NotFound for the image; AlreadyExists for the same name, or the same content under another name."""

    image: str
    signature: ImageSignature
    signatures: GroupResource
    """The resource that errors about a signature name."""

    def decide(self, state: State) -> Decision:
        stored = state.image(self.image)
        if stored is None:
            raise NotFound(IMAGES, self.image)
        new = self.signature
        for old in stored.decode().signatures:
            if old.metadata.name == new.metadata.name or (old.type, old.content) == (new.type, new.content):
                raise AlreadyExists(self.signatures, new.metadata.name)
        guards = (Guard(image_aggregate(self.image), None),)
        return Decision(guards, images=(ImageDecision(self.image, stored, ImageSigned(new)),))


class RemoveSignature(BaseIntention, kw_only=True):
    """May raise NotFound, for the image or for the signature."""

    image: str
    name: str
    signatures: GroupResource

    def decide(self, state: State) -> Decision:
        stored = state.image(self.image)
        if stored is None:
            raise NotFound(IMAGES, self.image)
        if all(signature.metadata.name != self.name for signature in stored.decode().signatures):
            raise NotFound(self.signatures, self.name)
        guards = (Guard(image_aggregate(self.image), None),)
        return Decision(guards, images=(ImageDecision(self.image, stored, ImageSignatureRemoved(self.name)),))
