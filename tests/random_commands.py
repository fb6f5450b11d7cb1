"""Random commands as clients send them, sensible or not; `command_book.py` decides them and keeps the log."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import msgspec

from service.api.image_v1 import (
    Image,
    ImageStream,
    ImageStreamSpec,
    ImageStreamTag,
    ImageTag,
    TagEvent,
    TagImportPolicy,
    TagReference,
    TagReferencePolicy,
)
from service.api.meta_v1 import DeleteOptions, ObjectMeta, ObjectReference
from service.commands.create_imagestream import CreateImageStream
from service.commands.create_tag import CreateTag
from service.commands.delete_imagestream import DeleteImageStream
from service.commands.delete_tag import DeleteTag
from service.commands.execute import Intention
from service.commands.image_registration import registration
from service.commands.import_images import ImportImages
from service.commands.map_image import MapImage
from service.commands.update_imagestream import UpdateImageStream
from service.commands.update_tag import ImageStreamTagUpdate, ImageTagUpdate
from service.domain.errors import image_resource
from service.domain.imports import Imported, NotImported, Source
from service.domain.served import Registry
from service.domain.tag_resolution import Surroundings
from tests.command_book import Book

REGISTRY = Registry("registry:5000")
NAMESPACES = ("a", "b")
STREAMS = ("app", "base")
TAGS = ("1", "2", "latest")
IMAGES = tuple(f"sha256:{digit * 64}" for digit in "012")
REFERENCES = ("", "quay.io/x/y:1", "quay.io/x/z")


def random_intention(random: Random, book: Book) -> Intention:
    """Something a client may want, sensible or not."""
    kind = random.choice(KINDS)
    return kind(random, random.choice(NAMESPACES), random.choice(STREAMS), around(random, book))


def around(random: Random, book: Book) -> Surroundings:
    now = f"2026-01-01T00:00:{len(book.commands) % 60:02}Z"
    allowed = random.random() < 0.8
    return Surroundings(now, REGISTRY, book.stream, lambda namespace, name: allowed)


def random_spec(random: Random, name: str) -> TagReference:
    source = random.choice(
        (
            None,
            ObjectReference(kind="DockerImage", name=random.choice(("quay.io/x/y:1", "busybox"))),
            ObjectReference(kind="ImageStreamTag", name=random.choice(TAGS)),
            ObjectReference(kind="ImageStreamTag", name=f"{random.choice(STREAMS)}:{random.choice(TAGS)}"),
            ObjectReference(kind="ImageStreamTag", name="app:1", namespace=random.choice(NAMESPACES)),
            ObjectReference(kind="ImageStreamImage", name=f"{random.choice(STREAMS)}@{random.choice(IMAGES)[:9]}"),
        )
    )
    return TagReference(
        name=name,
        annotations=random.choice((None, {"k": "v"})),
        from_=source,
        reference=random.random() < 0.2,
        generation=random.choice((None, 0, 1, 7)),
        import_policy=TagImportPolicy(import_mode=random.choice(("Legacy", "PreserveOriginal"))),
        reference_policy=TagReferencePolicy(type=random.choice(("Source", "Local"))),
    )


def create_stream(random: Random, namespace: str, name: str, surroundings: Surroundings) -> Intention:
    metadata = ObjectMeta(name=name, namespace=namespace, uid="u", creation_timestamp=surroundings.now)
    spec = ImageStreamSpec(tags=[random_spec(random, tag) for tag in random.sample(TAGS, random.randrange(3))])
    return CreateImageStream(
        resource=image_resource("imagestreams"),
        verb="create",
        around=surroundings,
        wanted=ImageStream(metadata=metadata, spec=spec),
    )


def update_stream(random: Random, namespace: str, name: str, surroundings: Surroundings) -> Intention:
    change = random.choice((_set_spec, _unset_spec, _label, _look_up, _name_repository))
    return _update(namespace, name, surroundings, lambda wanted: change(random, wanted), status=False)


def write_status(random: Random, namespace: str, name: str, surroundings: Surroundings) -> Intention:
    change = random.choice((_prune, _write_history, _label, _look_up))
    return _update(namespace, name, surroundings, lambda wanted: change(random, wanted), status=True)


def _update(
    namespace: str, name: str, surroundings: Surroundings, change: Callable[[ImageStream], None], *, status: bool
) -> Intention:
    def transform(current: ImageStream) -> ImageStream:
        wanted = msgspec.json.decode(msgspec.json.encode(current), type=ImageStream)
        change(wanted)
        return wanted

    return UpdateImageStream(
        resource=image_resource("imagestreams"),
        verb="update",
        around=surroundings,
        namespace=namespace,
        name=name,
        transform=transform,
        status=status,
    )


def _set_spec(random: Random, wanted: ImageStream) -> None:
    spec = random_spec(random, random.choice(TAGS))
    wanted.spec.tags = [*(tag for tag in wanted.spec.tags if tag.name != spec.name), spec]


def _unset_spec(random: Random, wanted: ImageStream) -> None:
    wanted.spec.tags = wanted.spec.tags[1:]


def _label(random: Random, wanted: ImageStream) -> None:
    wanted.metadata.labels = {"k": random.choice("ab")}


def _look_up(random: Random, wanted: ImageStream) -> None:
    wanted.spec.lookup_policy.local = random.random() < 0.5


def _name_repository(random: Random, wanted: ImageStream) -> None:
    wanted.spec.docker_image_repository = random.choice(("", "quay.io/x/y"))


def _prune(random: Random, wanted: ImageStream) -> None:
    for history in wanted.status.tags:
        history.items = [item for item in history.items or () if random.random() < 0.7]
    wanted.status.tags = [history for history in wanted.status.tags if history.items]


def _write_history(random: Random, wanted: ImageStream) -> None:
    entry = TagEvent("2026-01-01T00:00:00Z", random.choice(REFERENCES[1:]), random.choice(IMAGES), random.randrange(2))
    for history in wanted.status.tags[:1]:
        history.items = [entry, *(history.items or ())]


def create_tag(random: Random, namespace: str, name: str, surroundings: Surroundings) -> Intention:
    tag = random.choice(TAGS)
    spec = random_spec(random, tag) if random.random() < 0.9 else None
    return CreateTag(
        resource=image_resource("imagestreamtags"),
        verb="create",
        around=surroundings,
        namespace=namespace,
        stream=name,
        tag=tag,
        spec=spec,
        uid="u",
        existing_as=image_resource("imagestreamtag"),
    )


def update_imagestreamtag(random: Random, namespace: str, name: str, surroundings: Surroundings) -> Intention:
    tag = random.choice(TAGS)

    def transform(current: ImageStreamTag) -> ImageStreamTag:
        annotations = random.choice((None, {"x": "y"}))
        metadata = msgspec.structs.replace(current.metadata, annotations=annotations)
        return msgspec.structs.replace(current, metadata=metadata, tag=random_spec(random, tag))

    return ImageStreamTagUpdate(
        resource=image_resource("imagestreamtags"),
        verb="update",
        around=surroundings,
        namespace=namespace,
        stream=name,
        tag=tag,
        uid="u",
        transform=transform,
        may_create=lambda: None,
    )


def update_imagetag(random: Random, namespace: str, name: str, surroundings: Surroundings) -> Intention:
    tag = random.choice(TAGS)

    def transform(current: ImageTag) -> ImageTag:
        return msgspec.structs.replace(current, spec=random_spec(random, tag) if random.random() < 0.7 else None)

    return ImageTagUpdate(
        resource=image_resource("imagetags"),
        verb="update",
        around=surroundings,
        namespace=namespace,
        stream=name,
        tag=tag,
        uid="u",
        transform=transform,
        may_create=lambda: None,
    )


def delete_tag(random: Random, namespace: str, name: str, surroundings: Surroundings) -> Intention:
    return DeleteTag(
        resource=image_resource("imagestreamtags"),
        verb="delete",
        around=surroundings,
        namespace=namespace,
        stream=name,
        tag=random.choice(TAGS),
        options=DeleteOptions(),
    )


def delete_stream(random: Random, namespace: str, name: str, surroundings: Surroundings) -> Intention:
    return DeleteImageStream(
        resource=image_resource("imagestreams"),
        verb="delete",
        around=surroundings,
        namespace=namespace,
        name=name,
        options=DeleteOptions(),
    )


def push(random: Random, namespace: str, name: str, surroundings: Surroundings) -> Intention:
    image = random.choice(IMAGES)
    reference = random.choice(REFERENCES) or f"registry:5000/{namespace}/{name}@{image}"
    pushed = Image(metadata=ObjectMeta(name=image), docker_image_reference=reference)
    return MapImage(
        resource=image_resource("imagestreammappings"),
        verb="create",
        around=surroundings,
        namespace=namespace,
        name=name,
        tag=random.choice(TAGS),
        image=image,
        reference=reference,
        managed=random.random() < 0.3,
        register=lambda: registration(pushed),
    )


def import_images(random: Random, namespace: str, name: str, surroundings: Surroundings) -> Intention:
    images = {image: Image(metadata=ObjectMeta(name=image), docker_image_reference=image) for image in IMAGES}
    return ImportImages(
        resource=image_resource("imagestreamimports"),
        verb="create",
        around=surroundings,
        namespace=namespace,
        name=name,
        uid="u",
        resource_version="",
        outcomes=[_import_outcome(random) for _ in range(random.randrange(1, 3))],
        images=images,
    )


def _import_outcome(random: Random) -> Imported | NotImported:
    policy = TagImportPolicy(import_mode=random.choice(("Legacy", "PreserveOriginal")))
    source = Source(random.choice(TAGS), "quay.io/x/y:1", policy, TagReferencePolicy("Source"))
    if random.random() < 0.3:
        return NotImported(source, "NotFound", random.choice("ab"), random.random() < 0.5)
    image = random.choice(IMAGES)
    return Imported(source, image, f"quay.io/x/y@{image}")


KINDS: tuple[Callable[[Random, str, str, Surroundings], Intention], ...] = (
    *(create_stream, create_stream, update_stream, update_stream, write_status, create_tag),
    *(update_imagestreamtag, update_imagetag, delete_tag, delete_stream, push, push, push, push, import_images),
)
