"""Bodies as a Go server wrote them: tests/samples/protobuf."""

from __future__ import annotations

import base64
from pathlib import Path

FOLDER = Path(__file__).parents[3] / "samples" / "protobuf"
BODIES = ("ImageStream", "ImageStreamLayers", "ImageStreamTagList", "PartialObjectMetadataList", "SecretList")
STATUSES = ("Status-of-a-deletion", "Status-of-a-failure", "Status-of-a-mapping")
WATCH_EVENT = "watch-event"


def vector(name: str) -> bytes:
    return base64.b64decode((FOLDER / f"{name}.base64").read_text())
