"""A watch as a WebSocket: what is one, and events as messages."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from service.http.websockets import BINARY_FRAME, TEXT_FRAME, is_websocket, messages
from service.watch.frames import chunk

PAYLOADS = st.lists(st.binary(min_size=4, max_size=300) | st.sampled_from([b"x" * 125, b"y" * 126, b"z" * 65536]))


def read(data: bytes) -> list[tuple[int, bytes]]:
    """The frames of a server, by the letter of RFC 6455 5.2: first byte and payload."""
    found = []
    while data:
        first, size, at = data[0], data[1], 2
        assert size < 128, "a server masks nothing"
        if size >= 126:
            width = 2 if size == 126 else 8
            size, at = int.from_bytes(data[2 : 2 + width], "big"), 2 + width
            assert size >= (126 if width == 2 else 1 << 16), "the shortest length is the only one"
        found.append((first, data[at : at + size]))
        assert len(data) >= at + size
        data = data[at + size :]
    return found


@given(payloads=PAYLOADS)
def test_each_event_is_a_text_message(payloads: list[bytes]) -> None:
    frames = b"".join(map(chunk, payloads))
    assert read(messages(frames, is_text=True)) == [(TEXT_FRAME, payload) for payload in payloads]


@given(payloads=PAYLOADS)
def test_a_binary_message_has_no_length_of_its_own(payloads: list[bytes]) -> None:
    frames = b"".join(chunk(len(payload).to_bytes(4, "big") + payload) for payload in payloads)
    assert read(messages(frames, is_text=False)) == [(BINARY_FRAME, payload) for payload in payloads]


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        ("GET", {"Connection": "Upgrade", "Upgrade": "websocket"}, True),
        ("GET", {"Connection": "keep-alive, upgrade", "Upgrade": "WebSocket"}, True),
        ("POST", {"Connection": "Upgrade", "Upgrade": "websocket"}, False),
        ("GET", {"Connection": "keep-alive", "Upgrade": "websocket"}, False),
        ("GET", {"Connection": "Upgrade", "Upgrade": "h2c"}, False),
        ("GET", {}, False),
    ],
)
def test_what_asks_to_be_a_websocket(method: str, headers: dict[str, str], expected: bool) -> None:
    assert is_websocket(make_mocked_request(method, "/", headers)) is expected
