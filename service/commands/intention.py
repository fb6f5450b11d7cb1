"""What all intentions share: the resource they are about, the surroundings they decide in, no second thoughts."""

from __future__ import annotations

import msgspec

from service.api.meta_v1 import ObjectMeta
from service.commands.execute import State, stream_aggregate
from service.domain import served
from service.domain.draft import Draft
from service.domain.errors import AlreadyExists, Forbidden, GroupResource, Invalid
from service.domain.field_errors import FieldError
from service.domain.image_limits import quota_excess
from service.domain.imagestream import ImageStream
from service.domain.stream_changes import STREAM_KIND
from service.domain.stream_validation import validate_stream
from service.domain.tag_resolution import Surroundings, source_of
from service.domain.tag_validation import AdmitReference
from service.domain.tracking import followers
from service.eventstore.records import Guard


class BaseIntention(msgspec.Struct, kw_only=True):
    resource: GroupResource
    """The resource of the request: storage errors name it (spec: image-api 12)."""
    verb: str
    around: Surroundings

    def overtaken(self, state: State) -> None:
        """Decide again on the newer state."""


def refuse_invalid(
    draft: Draft, around: Surroundings, errors: list[FieldError], admit: AdmitReference | None = None
) -> None:
    """Raise Invalid if the drafted stream breaks a rule or is kept out; `errors` are those that resolution found.

    `admit` is asked of its references, where not what a write of a spec may name.
    """
    if draft.stream is None:
        return
    policy = around.policy
    errors = errors or policy.limit_errors(draft)
    shown = served.imagestream(draft.stream, around.registry)
    every = [*errors, *validate_stream(shown, admit or policy.admission(draft.before))]
    if every:
        raise Invalid(STREAM_KIND, draft.name, every)


def refuse_over_quota(state: State, around: Surroundings, resource: GroupResource, namespace: str, name: str) -> None:
    """Raise Forbidden where there must be no further image stream (spec: image-api 11.5.2)."""
    limits = around.policy.limits_of(namespace)
    excess = quota_excess(limits, state.stream_count(namespace)) if limits.streams else None
    if excess is not None:
        raise Forbidden(resource, name, excess)


def already_exists(resource: GroupResource, name: str, existing: ObjectMeta) -> AlreadyExists:
    """The error of a create; an object on its way out is told apart (spec: kube-api 3, AlreadyExists)."""
    return AlreadyExists(resource, name, being_deleted=existing.deletion_timestamp is not None)


def with_server_fields(wanted: ObjectMeta, old: ObjectMeta) -> ObjectMeta:
    """What a client sent, where the server's own fields go without saying (spec: kube-api 4.4.5)."""
    return msgspec.structs.replace(
        wanted,
        uid=wanted.uid or old.uid,
        creation_timestamp=old.creation_timestamp,
        generation=old.generation,
        resource_version=old.resource_version or "0",
        self_link="",
    )


def whole_stream(namespace: str, name: str) -> tuple[Guard, ...]:
    """Any change of the stream or its tags invalidates the decision."""
    return (Guard(stream_aggregate(namespace, name), None),)


def around_tags(namespace: str, name: str, stream: ImageStream | None, *tags: str) -> tuple[Guard, ...]:
    """Only the header, these tags, the tags they come from and those that follow them invalidate the decision."""
    concerned = set(tags)
    for tag in tags if stream else ():
        concerned.update(follower.name for follower in followers(stream, tag)) if stream else None
        known = stream.tags.get(tag) if stream else None
        source = source_of(known.spec, namespace, name) if known and known.spec else None
        if source and (source.namespace, source.stream) == (namespace, name):
            concerned.add(source.reference)
    return (Guard(stream_aggregate(namespace, name), tuple(sorted(concerned))),)
