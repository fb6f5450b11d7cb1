"""An image stream while a command decides about it: each event is folded at once, so later steps see earlier ones.

Keeps: the draft's state is exactly what the recorded events will fold into, positions aside.
Elsewhere: which events to emit (`stream_changes.py`, `tag_changes.py`, `mapping.py`).
"""

from __future__ import annotations

from service.domain.events import StreamEvent
from service.domain.imagestream import ImageStream, Tag, apply


class Draft:
    def __init__(self, namespace: str, name: str, stream: ImageStream | None) -> None:
        self.namespace = namespace
        self.name = name
        self.before = stream
        self.stream = stream
        self.events: list[StreamEvent] = []
        self._position = stream.changed if stream else 0

    def emit(self, event: StreamEvent) -> None:
        self.stream = apply(self.stream, self.namespace, self.name, event, self._position)
        self.events.append(event)

    @property
    def existing(self) -> ImageStream:
        """The stream, which must be there by now."""
        if self.stream is None:
            raise LookupError(f"no image stream {self.namespace}/{self.name} in the draft")
        return self.stream

    def tag(self, name: str) -> Tag | None:
        return self.stream.tags.get(name) if self.stream else None
