"""Every error as the metav1.Status clients know."""

from __future__ import annotations

import msgspec
import pytest

from service.api.json_types import JsonObject
from service.auth.errors import ForbiddenPath, Unauthorized
from service.domain import errors as domain
from service.domain.errors import GroupResource, TagHistoryError, image_resource
from service.domain.field_errors import invalid, required
from service.http import errors as protocol
from service.http.status import DESCRIPTIONS, failure
from service.merge import errors as merge

STREAMS = image_resource("imagestreams")
ABOUT_A: JsonObject = {"name": "a", "group": "image.openshift.io", "kind": "imagestreams"}


@pytest.mark.parametrize(
    ("error", "code", "reason", "message", "details"),
    [
        (domain.BadRequest("bad"), 400, "BadRequest", "bad", None),
        (Unauthorized(), 401, "Unauthorized", "Unauthorized", None),
        (
            domain.Forbidden(STREAMS, "a", "no"),
            403,
            "Forbidden",
            'imagestreams.image.openshift.io "a" is forbidden: no',
            ABOUT_A,
        ),
        (
            domain.Forbidden(STREAMS, "", "no"),
            403,
            "Forbidden",
            "imagestreams.image.openshift.io is forbidden: no",
            {"group": "image.openshift.io", "kind": "imagestreams"},
        ),
        (ForbiddenPath("no"), 403, "Forbidden", "forbidden: no", {}),
        (
            domain.NamespaceTerminating(STREAMS, "a", "ns"),
            403,
            "Forbidden",
            'imagestreams.image.openshift.io "a" is forbidden: unable to create new content in namespace ns because it '
            "is being terminated",
            {
                **ABOUT_A,
                "causes": [
                    {
                        "reason": "NamespaceTerminating",
                        "message": "namespace ns is being terminated",
                        "field": "metadata.namespace",
                    }
                ],
            },
        ),
        (
            protocol.OriginMissing(),
            403,
            "Forbidden",
            "a WebSocket request needs an Origin header that is a URL",
            None,
        ),
        (
            protocol.RequestHeadTooLarge(),
            431,
            None,
            "the head of the request is longer than this server reads",
            None,
        ),
        (protocol.MalformedRequest("this is no HTTP request"), 400, "BadRequest", "this is no HTTP request", None),
        (domain.NotFound(STREAMS, "a"), 404, "NotFound", 'imagestreams.image.openshift.io "a" not found', ABOUT_A),
        (
            domain.NotFound(GroupResource("", "namespaces"), "x"),
            404,
            "NotFound",
            'namespaces "x" not found',
            {"name": "x", "kind": "namespaces"},
        ),
        (protocol.RouteNotFound(), 404, "NotFound", "the server could not find the requested resource", {}),
        (
            domain.MethodNotSupported(STREAMS, "watch"),
            405,
            "MethodNotAllowed",
            'watch is not supported on resources of kind "imagestreams.image.openshift.io"',
            {"group": "image.openshift.io", "kind": "imagestreams"},
        ),
        (
            protocol.MethodNotAllowed(),
            405,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
            {},
        ),
        (
            protocol.not_acceptable(["a/b"]),
            406,
            "NotAcceptable",
            "only the following media types are accepted: a/b",
            None,
        ),
        (
            protocol.no_representation(["a/b"]),
            406,
            "NotAcceptable",
            "406: Not Acceptable\n\nAvailable representations: a/b",
            {},
        ),
        (
            domain.AlreadyExists(STREAMS, "a"),
            409,
            "AlreadyExists",
            'imagestreams.image.openshift.io "a" already exists',
            ABOUT_A,
        ),
        (
            domain.Conflict(STREAMS, "a"),
            409,
            "Conflict",
            'Operation cannot be fulfilled on imagestreams.image.openshift.io "a": the object has been modified; '
            "please apply your changes to the latest version and try again",
            ABOUT_A,
        ),
        (
            merge.ApplyConflicts([merge.Conflict('"m1"', ".spec.x")]),
            409,
            "Conflict",
            'Apply failed with 1 conflict: conflict with "m1": .spec.x',
            {"causes": [{"reason": "FieldManagerConflict", "message": 'conflict with "m1"', "field": ".spec.x"}]},
        ),
        (domain.Expired("too old"), 410, "Expired", "too old", None),
        (
            merge.PatchTooLarge(10000, 10001),
            413,
            "RequestEntityTooLarge",
            "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001",
            None,
        ),
        (protocol.unsupported_patch(), 415, "UnsupportedMediaType", "415: Unsupported Media Type", {}),
        (
            domain.PatchRejected(),
            422,
            "Invalid",
            "the server rejected our request due to an error in our request",
            {},
        ),
        (domain.Overloaded("busy", 3), 429, "TooManyRequests", "busy", {"retryAfterSeconds": 3}),
        (
            domain.RetryLater(STREAMS, "create"),
            500,
            "ServerTimeout",
            "The create operation against imagestreams.image.openshift.io could not be completed at this time, "
            "please try again.",
            {"name": "create", "group": "image.openshift.io", "kind": "imagestreams", "retryAfterSeconds": 2},
        ),
        (
            domain.InternalError("x"),
            500,
            "InternalError",
            "Internal error occurred: x",
            {"causes": [{"message": "x"}]},
        ),
        (domain.Unclassified("raw"), 500, None, "raw", None),
        (domain.Unavailable("gone"), 503, "ServiceUnavailable", "gone", {"retryAfterSeconds": 1}),
        (
            domain.FuturePosition(900, 812),
            504,
            "Timeout",
            "Timeout: Too large resource version: 900, current: 812",
            {
                "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
                "retryAfterSeconds": 1,
            },
        ),
        (domain.Unfinished(), 504, "Timeout", "Timeout: request did not complete within requested timeout", {}),
    ],
)
def test_an_error_and_its_status(
    error: Exception, code: int, reason: str | None, message: str, details: JsonObject | None
) -> None:
    failed = failure(error)
    document: JsonObject = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "code": code,
    }
    if reason is not None:
        document["reason"] = reason
    if details is not None:
        document["details"] = details
    assert msgspec.json.decode(msgspec.json.encode(failed.status)) == document
    assert failed.code == code


def test_every_wrong_field_is_a_cause() -> None:
    kind = GroupResource("image.openshift.io", "ImageStream")
    failed = failure(domain.Invalid(kind, "A", [invalid("metadata.name", "A", "no"), required("spec.x")]))
    assert failed.status.message == (
        'ImageStream.image.openshift.io "A" is invalid: [metadata.name: Invalid value: "A": no, spec.x: Required value]'
    )
    assert failed.status.details is not None
    assert msgspec.to_builtins(failed.status.details) == {
        "name": "A",
        "group": "image.openshift.io",
        "kind": "ImageStream",
        "causes": [
            {"reason": "FieldValueInvalid", "message": 'Invalid value: "A": no', "field": "metadata.name"},
            {"reason": "FieldValueRequired", "message": "Required value", "field": "spec.x"},
        ],
    }


def test_when_to_try_again_is_a_header_too() -> None:
    assert failure(domain.Overloaded("busy", 3)).headers == {"Retry-After": "3"}
    assert failure(domain.Unfinished()).headers == {}


def test_a_browser_does_not_guess_what_a_refusal_is() -> None:
    assert failure(domain.Forbidden(STREAMS, "", "no")).headers == {"X-Content-Type-Options": "nosniff"}


def test_an_unexpected_exception_tells_nothing() -> None:
    failed = failure(RuntimeError("password=hunter2"))
    assert (failed.code, failed.status.reason) == (500, "InternalError")
    assert b"hunter2" not in msgspec.json.encode(failed.status)


def every_subclass(cls: type) -> set[type]:
    return {cls}.union(*(every_subclass(sub) for sub in cls.__subclasses__()))


ABSTRACT = {TagHistoryError, domain.AboutObject, protocol.ProtocolError, merge.MergeError}


@pytest.mark.parametrize("root", [TagHistoryError, merge.MergeError])
def test_no_error_class_is_forgotten(root: type) -> None:
    """An error of ours that falls through would be shown as an unexpected one."""
    ours = {cls for cls in every_subclass(root) if cls.__module__.startswith("service.")}
    forgotten = [cls for cls in ours - ABSTRACT if not any(base in DESCRIPTIONS for base in cls.__mro__)]
    assert forgotten == []


def test_a_name_that_cannot_be_printed_is_quoted() -> None:
    wrong = domain.Invalid(domain.image_resource("ImageStream"), "a\0b", [required("spec.x")])
    assert (
        failure(wrong).status.message == 'ImageStream.image.openshift.io "a\\x00b" is invalid: spec.x: Required value'
    )
