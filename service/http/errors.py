"""What can be wrong with a request as a request, before anything is known of its object.

TagHistoryError
└── ProtocolError
    ├── RouteNotFound · MethodNotAllowed             no such resource here, or not this way
    ├── NotAcceptable · UnsupportedMediaType         no common form for the answer, or for the body
    ├── RequestEntityTooLarge                        a body, or a JSON patch, beyond its bound
    ├── MalformedRequest · RequestHeadTooLarge       no HTTP, or too much before the body
    ├── OriginMissing                                a WebSocket that does not say where it comes from
    └── TooManyRequests                              more at once than we serve

Some of these the reference's router finds and some its handlers; the router's carry empty details, and clients see it.
Source: spec: kube-api 1.1.7, 2, 3.
"""

from __future__ import annotations

from collections.abc import Sequence

from service.domain.errors import TagHistoryError


class ProtocolError(TagHistoryError):
    def __init__(self, message: str, *, from_router: bool = False) -> None:
        super().__init__(message)
        self.from_router = from_router


class RouteNotFound(ProtocolError):
    def __init__(self) -> None:
        super().__init__("the server could not find the requested resource", from_router=True)


class MethodNotAllowed(ProtocolError):
    def __init__(self) -> None:
        super().__init__("the server does not allow this method on the requested resource", from_router=True)


class NotAcceptable(ProtocolError):
    pass


def no_representation(media_types: Sequence[str]) -> NotAcceptable:
    """The router's: nothing in Accept is among what the route produces."""
    listed = ", ".join(media_types)
    return NotAcceptable(f"406: Not Acceptable\n\nAvailable representations: {listed}", from_router=True)


def not_acceptable(media_types: Sequence[str]) -> NotAcceptable:
    """The handler's: a type would do, but not with the parameters asked for."""
    return NotAcceptable(f"only the following media types are accepted: {', '.join(media_types)}")


class UnsupportedMediaType(ProtocolError):
    pass


def unsupported_patch() -> UnsupportedMediaType:
    return UnsupportedMediaType("415: Unsupported Media Type", from_router=True)


def unsupported_body(media_types: Sequence[str]) -> UnsupportedMediaType:
    return UnsupportedMediaType(
        "the body of the request was in an unknown format - accepted media types include: " + ", ".join(media_types)
    )


class RequestEntityTooLarge(ProtocolError):
    pass


class MalformedRequest(ProtocolError):
    pass


class RequestHeadTooLarge(ProtocolError):
    def __init__(self) -> None:
        super().__init__("the head of the request is longer than this server reads")


class OriginMissing(ProtocolError):
    """Browsers always send an Origin; who has to can tell a page of another site from one of its own."""

    def __init__(self) -> None:
        super().__init__("a WebSocket request needs an Origin header that is a URL")


class TooManyRequests(ProtocolError):
    def __init__(self, retry_after_seconds: int = 1) -> None:
        super().__init__("Too many requests, please try again later.")
        self.retry_after_seconds = retry_after_seconds
