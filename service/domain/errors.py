"""What can go wrong, in the words of the domain. No status codes here: `http/status.py` alone maps these to HTTP.

TagHistoryError
├── NotFound · AlreadyExists · Conflict · Forbidden   about one named object of a resource
│                                       └── NamespaceTerminating
├── Invalid                                           wrong fields, all of them at once
├── BadRequest · MethodNotSupported                   the request itself makes no sense
├── Expired · FuturePosition                          a resourceVersion that is gone, or not there yet
├── Overloaded · Unavailable · Unfinished             try again: the queue is full, an engine is away, time ran out
└── Unclassified · InternalError                      what the reference answers without a reason, or with one
"""

from __future__ import annotations

import msgspec

from service.api.go_text import quote
from service.domain.field_errors import FieldError, summary

IMAGE_GROUP = "image.openshift.io"


class GroupResource(msgspec.Struct, frozen=True):
    """A resource by its plural name, or a kind by its name, with its group ("" for core)."""

    group: str
    name: str

    def __str__(self) -> str:
        return f"{self.name}.{self.group}" if self.group else self.name


def image_resource(plural: str) -> GroupResource:
    return GroupResource(IMAGE_GROUP, plural)


class TagHistoryError(Exception):
    """The root: everything a request may meet on purpose."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class AboutObject(TagHistoryError):
    def __init__(self, resource: GroupResource, name: str, message: str) -> None:
        super().__init__(message)
        self.resource = resource
        self.name = name


class NotFound(AboutObject):
    def __init__(self, resource: GroupResource, name: str) -> None:
        super().__init__(resource, name, f'{resource} "{name}" not found')


class AlreadyExists(AboutObject):
    def __init__(self, resource: GroupResource, name: str, *, being_deleted: bool = False) -> None:
        prefix = "object is being deleted: " if being_deleted else ""
        super().__init__(resource, name, f'{prefix}{resource} "{name}" already exists')


STALE = "the object has been modified; please apply your changes to the latest version and try again"


class Conflict(AboutObject):
    """Somebody else was first; `causes` names the field managers of a server-side apply."""

    def __init__(self, resource: GroupResource, name: str, why: str = STALE) -> None:
        super().__init__(resource, name, f'Operation cannot be fulfilled on {resource} "{name}": {why}')


class ApplyConflict(TagHistoryError):
    """Server-side apply met fields that other managers own (spec: kube-api 5.4.8)."""

    def __init__(self, message: str, causes: list[tuple[str, str]]) -> None:
        super().__init__(message)
        self.causes = causes
        """(message, field path) of each conflict"""


class Forbidden(AboutObject):
    def __init__(self, resource: GroupResource, name: str, why: str) -> None:
        subject = f'{resource} "{name}"' if name else str(resource)
        super().__init__(resource, name, f"{subject} is forbidden: {why}")


class NamespaceTerminating(Forbidden):
    """Nothing new goes into a namespace that is being deleted (spec: kube-api 9.6.6)."""

    def __init__(self, resource: GroupResource, name: str, namespace: str) -> None:
        why = f"unable to create new content in namespace {namespace} because it is being terminated"
        super().__init__(resource, name, why)
        self.namespace = namespace


class Invalid(TagHistoryError):
    """Every wrong field of an object. `kind` may be empty, as for a patch that no longer decodes."""

    def __init__(self, kind: GroupResource, name: str, errors: list[FieldError]) -> None:
        super().__init__(f"{kind} {quote(name)} is invalid: {summary(errors)}")
        self.kind = kind
        self.name = name
        self.errors = errors


class PatchRejected(TagHistoryError):
    """A JSON patch operation failed; the reference does not say which (spec: kube-api 5.2)."""

    def __init__(self) -> None:
        super().__init__("the server rejected our request due to an error in our request")


class BadRequest(TagHistoryError):
    pass


class MethodNotSupported(TagHistoryError):
    def __init__(self, resource: GroupResource, verb: str) -> None:
        super().__init__(f'{verb} is not supported on resources of kind "{resource}"')
        self.resource = resource


class Expired(TagHistoryError):
    pass


class FuturePosition(TagHistoryError):
    """A resourceVersion that the log has not reached within the time we wait."""

    def __init__(self, wanted: int, head: int) -> None:
        super().__init__(f"Timeout: Too large resource version: {wanted}, current: {head}")


class Overloaded(TagHistoryError):
    """A bounded queue is full."""

    def __init__(self, message: str, retry_after_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(TagHistoryError):
    """An engine behind us does not answer; nothing was changed."""

    def __init__(self, message: str, retry_after_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Unfinished(TagHistoryError):
    """Time ran out; a write may still come to pass."""

    def __init__(self, message: str = "request did not complete within requested timeout") -> None:
        super().__init__(f"Timeout: {message}")


class RetryLater(TagHistoryError):
    """A bounded number of optimistic tries were all overtaken (spec: image-api 5.4)."""

    def __init__(self, resource: GroupResource, verb: str) -> None:
        super().__init__(
            f"The {verb} operation against {resource} could not be completed at this time, please try again."
        )
        self.resource = resource
        self.verb = verb
        self.retry_after_seconds = 2


class InternalError(TagHistoryError):
    def __init__(self, cause: str) -> None:
        super().__init__(f"Internal error occurred: {cause}")
        self.cause = cause


class Unclassified(TagHistoryError):
    """What the reference answers as a bare 500 without a reason (spec: kube-api 3, last rows)."""
