"""What happens when an image registry maps a pushed image to a tag: the image is registered once, the tag moves.

Keeps: the spec of the stream and its generation stay; tags that follow the pushed one move in the same command.
Source: spec: image-api 8, observed "mappings".
Elsewhere: completing the image from its manifest (`image_metadata.py`), the retry when others push (`commands/`).
"""

from __future__ import annotations

from service.domain.draft import Draft
from service.domain.events import Cause, Item, TagImaged
from service.domain.tracking import follow

MANAGED = "openshift.io/image.managed"


def default_reference(registry_hostname: str, namespace: str, stream: str, image: str) -> str:
    """The pull spec of a pushed image that came without one: through the internal registry."""
    if not registry_hostname:
        return ""
    repository = f"{registry_hostname}/{namespace}/{stream}"
    return f"{repository}@{image}" if image else repository


def map_image(draft: Draft, tag: str, image: str, reference: str, now: str) -> None:
    """Move the tag to the image, and with it the tags that follow it."""
    item = Item(now, reference, image, draft.existing.generation)
    before = draft.tag(tag)
    draft.emit(TagImaged(tag, item, Cause("Mapping", draft.namespace, draft.name, tag)))
    if draft.tag(tag) is not before:
        follow(draft, [tag])
