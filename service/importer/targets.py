"""Which tags of the image stream an import's outcome is for: the repository's first, then the images'.

Keeps: an image that is for no tag is reported, and neither tagged nor stored; of an image that comes from several
places, the first counts. Source: spec: image-api 9.6. Elsewhere: what happens to these tags (`domain/imports.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from service.api.image_v1 import Image, ImageImportStatus, ImageStreamImport
from service.api.pull_specs import parse_pull_spec
from service.domain.imports import Imported, NotImported, Source
from service.importer.importer import Outcome

_NO_REASON_GIVEN = "unknown error prevented import"


def tag_outcomes(wanted: ImageStreamImport, outcome: Outcome) -> list[Imported | NotImported]:
    return [
        *(_outcome(source, status, makes_spec=False) for source, status in _of_repository(wanted, outcome)),
        *(_outcome(source, status, makes_spec=True) for source, status in _of_images(wanted, outcome)),
    ]


def tagged_images(wanted: ImageStreamImport, outcome: Outcome) -> dict[str, Image]:
    """What is to be stored, by digest: also the members of lists that are kept."""
    found: dict[str, Image] = {}
    for _, status in (*_of_repository(wanted, outcome), *_of_images(wanted, outcome)):
        for image in (status.image, *status.manifests):
            if image is not None:
                found.setdefault(image.metadata.name, image)
    return found


def with_images(outcome: Outcome, shown: Callable[[Image], Image]) -> Outcome:
    """The outcome with other images in the places of its own."""

    def changed(status: ImageImportStatus) -> ImageImportStatus:
        if status.image is None:
            return status
        members = [shown(member) for member in status.manifests]
        return msgspec.structs.replace(status, image=shown(status.image), manifests=members)

    repository = outcome.repository
    if repository is not None:
        repository = msgspec.structs.replace(repository, images=[changed(status) for status in repository.images])
    return Outcome(repository, [changed(status) for status in outcome.images])


def _of_repository(wanted: ImageStreamImport, outcome: Outcome) -> Iterator[tuple[Source, ImageImportStatus]]:
    asked = wanted.spec.repository
    if asked is None or outcome.repository is None:
        return
    spec = parse_pull_spec(asked.from_.name)
    for status in outcome.repository.images:
        name = msgspec.structs.replace(spec, tag=status.tag).exact()
        yield Source(status.tag, name, asked.import_policy, asked.reference_policy), status


def _of_images(wanted: ImageStreamImport, outcome: Outcome) -> Iterator[tuple[Source, ImageImportStatus]]:
    for asked, status in zip(wanted.spec.images, outcome.images, strict=True):
        if asked.to is not None:
            yield Source(asked.to.name, asked.from_.name, asked.import_policy, asked.reference_policy), status


def _outcome(source: Source, status: ImageImportStatus, *, makes_spec: bool) -> Imported | NotImported:
    if status.image is not None:
        return Imported(source, status.image.metadata.name, status.image.docker_image_reference)
    told = status.status
    return NotImported(source, told.reason, told.message or _NO_REASON_GIVEN, makes_spec)
