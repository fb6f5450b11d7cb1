"""What one writer wants next: every kind of change that the API offers, on the few names where all writers meet."""

from __future__ import annotations

from random import Random

from service.domain.world import Collection
from tests.faults import requests
from tests.faults.history import Intent
from tests.faults.plan import KNOWN_IMAGES, NAMESPACES, NO_IMAGE, STREAMS, TAGS, TIERS, weighted

WEIGHTS = {
    "push": 500,
    "create stream": 80,
    "label stream": 80,
    "bump stream": 60,
    "set tag": 90,
    "annotate tag": 60,
    "delete tag": 60,
    "delete stream": 20,
    "label image": 30,
    "delete image": 40,
    "delete streams": 4,
    "label namespace": 10,
    "create namespace": 5,
    "delete namespace": 2,
}
OWN_IMAGES = 10
"""How many images one writer has in hand, to push them again."""


class Intents:
    """The wishes of one writer. `pushed` are the digests that anybody pushed, the newest last."""

    def __init__(self, name: str, random: Random, pushed: list[str]) -> None:
        self._name = name
        self._random = random
        self._pushed = pushed
        self._count = 0
        self._serials: list[str] = []

    def next(self) -> Intent:
        random = self._random
        self._count += 1
        namespace, stream, tag = random.choice(NAMESPACES), random.choice(STREAMS), random.choice(TAGS)
        mark = f"{self._name}-{self._count}"
        match weighted(random, WEIGHTS):
            case "push":
                return self._push(namespace, stream, tag, mark)
            case "create stream":
                return requests.create_stream(namespace, stream, mark, self._labels())
            case "label stream":
                return requests.label_stream(namespace, stream, mark, self._tier())
            case "bump stream":
                return requests.bump_stream(namespace, stream, mark)
            case "set tag":
                return self._set_tag(namespace, stream, tag, mark)
            case "annotate tag":
                return requests.annotate_tag(namespace, stream, tag, mark)
            case "delete tag":
                return requests.delete_tag(self._tag_collection(), namespace, stream, tag)
            case "delete stream":
                return requests.delete_stream(namespace, stream)
            case "label image":
                return requests.label_image(self._image(), mark, self._tier())
            case "delete image":
                return requests.delete_image(self._image())
            case "delete streams":
                return requests.delete_streams(namespace)
            case "label namespace":
                return requests.label_namespace(namespace, mark, self._tier())
            case "create namespace":
                return requests.create_namespace(namespace, mark)
            case _:
                return requests.delete_namespace(namespace)

    def _push(self, namespace: str, stream: str, tag: str, mark: str) -> Intent:
        """Of an image that nobody has seen, or of one pushed before."""
        if not self._serials or self._random.random() < 0.5:
            self._serials = [*self._serials[1 - OWN_IMAGES :], mark]
        pushed = requests.image_of(self._random.choice(self._serials))
        return requests.push(namespace, stream, tag, pushed, self._labels())

    def _set_tag(self, namespace: str, stream: str, tag: str, mark: str) -> Intent:
        random = self._random
        is_reference = False
        match random.randrange(4):
            case 0:
                source = {"kind": "ImageStreamTag", "name": random.choice([other for other in TAGS if other != tag])}
            case 1:
                source = {"kind": "ImageStreamTag", "name": f"{random.choice(STREAMS)}:{random.choice(TAGS)}"}
            case 2:
                source = {"kind": "ImageStreamImage", "name": f"{stream}@{self._image()}"}
            case _:
                source = {"kind": "DockerImage", "name": f"quay.faults/{stream}:{mark}"}
                is_reference = random.random() < 0.5
        collection = self._tag_collection()
        return requests.set_tag(collection, namespace, stream, tag, mark, source, is_reference=is_reference)

    def _image(self) -> str:
        return self._random.choice(self._pushed[-KNOWN_IMAGES:]) if self._pushed else NO_IMAGE

    def _tag_collection(self) -> Collection:
        return self._random.choice((Collection.IMAGE_STREAM_TAGS, Collection.IMAGE_TAGS))

    def _tier(self) -> dict[str, str | None]:
        return {"tier": self._random.choice((*TIERS, None))}

    def _labels(self) -> dict[str, str]:
        return {name: value for name, value in self._tier().items() if value is not None}
