"""The one place that knows which error is which HTTP status: every error class, as a metav1.Status.

code  reason                 errors
400   BadRequest             BadRequest · MalformedRequest · PatchSyntaxError
401   Unauthorized           Unauthorized
403   Forbidden              Forbidden · NamespaceTerminating · ForbiddenPath · OriginMissing
404   NotFound               NotFound · RouteNotFound
405   MethodNotAllowed       MethodNotSupported · MethodNotAllowed
406   NotAcceptable          NotAcceptable
409   AlreadyExists          AlreadyExists
409   Conflict               Conflict · ApplyConflict · ApplyConflicts
410   Expired                Expired
413   RequestEntityTooLarge  RequestEntityTooLarge · PatchTooLarge
415   UnsupportedMediaType   UnsupportedMediaType
422   Invalid                Invalid · PatchRejected · PatchFailed
429   TooManyRequests        Overloaded · TooManyRequests
431   (none)                 RequestHeadTooLarge
500   ServerTimeout          RetryLater
500   InternalError          InternalError, and every exception that is no answer of ours: its text stays inside
500   (none)                 Unclassified · StrategicPatchError · TypedPatchError
503   ServiceUnavailable     Unavailable
504   Timeout                FuturePosition · Unfinished

Keeps: a failure that says when to try again says so in its details and in Retry-After. Source: spec: kube-api 3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from service.api.meta_v1 import Status, StatusCause, StatusDetails
from service.auth.errors import ForbiddenPath, Unauthorized
from service.domain import errors as domain
from service.http import errors as protocol
from service.http.answer import NOSNIFF
from service.merge import errors as merge

UNEXPECTED = domain.InternalError("an unexpected error; the server's log says more")


class Failure(msgspec.Struct, frozen=True):
    """What a client is told of an error. The body is written in whatever form was negotiated."""

    status: Status
    headers: dict[str, str]

    @property
    def code(self) -> int:
        return self.status.code


def failure(error: BaseException) -> Failure:
    """Never raises; an exception nobody meant for a client becomes an InternalError that tells nothing."""
    for cls in type(error).__mro__:
        describe = DESCRIPTIONS.get(cls)
        if describe is not None:
            return _failure(describe(error))
    return _failure(_internal(UNEXPECTED))


def _failure(status: Status) -> Failure:
    headers = dict([NOSNIFF]) if status.code == 403 else {}
    if status.details is not None and status.details.retry_after_seconds > 0:
        headers["Retry-After"] = str(status.details.retry_after_seconds)
    return Failure(status, headers)


def _status(code: int, reason: str, error: Any, details: StatusDetails | None = None) -> Status:
    return Status(
        kind="Status",
        api_version="v1",
        status="Failure",
        message=error.message,
        reason=reason,
        details=details,
        code=code,
    )


_Describe = Callable[[Any], Status]


def _plain(code: int, reason: str) -> _Describe:
    return lambda error: _status(code, reason, error)


def _empty(code: int, reason: str) -> _Describe:
    """With details, but nothing in them."""
    return lambda error: _status(code, reason, error, StatusDetails())


def _of_protocol(code: int, reason: str) -> _Describe:
    return lambda error: _status(code, reason, error, StatusDetails() if error.from_router else None)


def _of_object(code: int, reason: str) -> _Describe:
    def describe(error: domain.AboutObject) -> Status:
        details = StatusDetails(name=error.name, group=error.resource.group, kind=error.resource.name)
        return _status(code, reason, error, details)

    return describe


def _later(code: int, reason: str) -> _Describe:
    return lambda error: _status(code, reason, error, StatusDetails(retry_after_seconds=error.retry_after_seconds))


def _terminating(error: domain.NamespaceTerminating) -> Status:
    cause = StatusCause(
        "NamespaceTerminating", f"namespace {error.namespace} is being terminated", "metadata.namespace"
    )
    details = StatusDetails(name=error.name, group=error.resource.group, kind=error.resource.name, causes=[cause])
    return _status(403, "Forbidden", error, details)


def _invalid(error: domain.Invalid) -> Status:
    causes = [StatusCause(reason=e.type.reason, message=e.body, field=e.field) for e in error.errors]
    details = StatusDetails(name=error.name, group=error.kind.group, kind=error.kind.name, causes=causes)
    return _status(422, "Invalid", error, details)


def _not_supported(error: domain.MethodNotSupported) -> Status:
    return _status(405, "MethodNotAllowed", error, StatusDetails(group=error.resource.group, kind=error.resource.name))


def _apply_conflict(error: domain.ApplyConflict | merge.ApplyConflicts) -> Status:
    causes = [StatusCause(reason="FieldManagerConflict", message=message, field=path) for message, path in error.causes]
    return _status(409, "Conflict", error, StatusDetails(causes=causes))


def _patch_too_large(error: merge.PatchTooLarge) -> Status:
    return _status(413, "RequestEntityTooLarge", domain.BadRequest(f"Request entity too large: {error.message}"))


def _future_position(error: domain.FuturePosition) -> Status:
    cause = StatusCause(reason="ResourceVersionTooLarge", message="Too large resource version")
    return _status(504, "Timeout", error, StatusDetails(causes=[cause], retry_after_seconds=1))


def _retry_later(error: domain.RetryLater) -> Status:
    resource = error.resource
    details = StatusDetails(
        name=error.verb, group=resource.group, kind=resource.name, retry_after_seconds=error.retry_after_seconds
    )
    return _status(500, "ServerTimeout", error, details)


def _internal(error: domain.InternalError) -> Status:
    return _status(500, "InternalError", error, StatusDetails(causes=[StatusCause(message=error.cause)]))


DESCRIPTIONS: dict[type, _Describe] = {
    domain.BadRequest: _plain(400, "BadRequest"),
    protocol.MalformedRequest: _plain(400, "BadRequest"),
    merge.PatchSyntaxError: _plain(400, "BadRequest"),
    Unauthorized: _plain(401, "Unauthorized"),
    domain.Forbidden: _of_object(403, "Forbidden"),
    domain.NamespaceTerminating: _terminating,
    ForbiddenPath: _empty(403, "Forbidden"),
    protocol.OriginMissing: _plain(403, "Forbidden"),
    domain.NotFound: _of_object(404, "NotFound"),
    protocol.RouteNotFound: _of_protocol(404, "NotFound"),
    domain.MethodNotSupported: _not_supported,
    protocol.MethodNotAllowed: _of_protocol(405, "MethodNotAllowed"),
    protocol.NotAcceptable: _of_protocol(406, "NotAcceptable"),
    domain.AlreadyExists: _of_object(409, "AlreadyExists"),
    domain.Conflict: _of_object(409, "Conflict"),
    domain.ApplyConflict: _apply_conflict,
    merge.ApplyConflicts: _apply_conflict,
    domain.Expired: _plain(410, "Expired"),
    protocol.RequestEntityTooLarge: _plain(413, "RequestEntityTooLarge"),
    merge.PatchTooLarge: _patch_too_large,
    protocol.UnsupportedMediaType: _of_protocol(415, "UnsupportedMediaType"),
    domain.Invalid: _invalid,
    domain.PatchRejected: _empty(422, "Invalid"),
    merge.PatchFailed: _empty(422, "Invalid"),
    domain.Overloaded: _later(429, "TooManyRequests"),
    protocol.TooManyRequests: _later(429, "TooManyRequests"),
    protocol.RequestHeadTooLarge: _plain(431, ""),
    domain.RetryLater: _retry_later,
    domain.InternalError: _internal,
    domain.Unclassified: _plain(500, ""),
    merge.StrategicPatchError: _plain(500, ""),
    merge.TypedPatchError: _plain(500, ""),
    domain.Unavailable: _later(503, "ServiceUnavailable"),
    domain.FuturePosition: _future_position,
    domain.Unfinished: _empty(504, "Timeout"),
}
