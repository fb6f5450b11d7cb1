"""Make this tag what the client wants, through ImageStreamTag or ImageTag; both create what is missing.

The two resources differ in what of the object counts (`ImageStreamTagUpdate`, `ImageTagUpdate`), and share the rest:
names, versions, and the write of the spec. Source: spec: image-api 5.5, 6.7-6.8.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from service.api.image_v1 import ImageStreamTag, ImageTag, TagReference
from service.api.meta_v1 import ObjectMeta
from service.commands.execute import Decision, State
from service.commands.implied_namespaces import refuse_terminating
from service.commands.intention import BaseIntention, around_tags, refuse_invalid, refuse_over_quota, with_server_fields
from service.domain import served
from service.domain.draft import Draft
from service.domain.errors import BadRequest, Conflict, GroupResource, Invalid, NotFound
from service.domain.events import Header
from service.domain.field_errors import FieldError, invalid, required
from service.domain.imagestream import ImageStream, Tag
from service.domain.namespace import refuse_impossible
from service.domain.object_meta import validate_any_update, validate_update
from service.domain.tag_changes import ensure_stream, set_tag
from service.domain.tag_validation import is_insecure, validate_tag_reference

T = TypeVar("T", ImageStreamTag, ImageTag)


class TagUpdate(BaseIntention, Generic[T], kw_only=True):
    """May raise BadRequest, Forbidden, NotFound, Conflict, Invalid, and what `may_create` and the transform raise."""

    namespace: str
    stream: str
    tag: str
    uid: str
    """For the stream, should it be new."""
    transform: Callable[[T], T]
    may_create: Callable[[], None]
    """Raises Forbidden if the caller may not create tags; asked only when the spec is new."""
    created: bool = False
    """Whether the spec tag did not exist before: an answer of 201."""

    @property
    def full_name(self) -> str:
        return f"{self.stream}:{self.tag}"

    def decide(self, state: State) -> Decision:
        stream = state.stream(self.namespace, self.stream)
        if stream is None:
            refuse_impossible(self.namespace)
        tag = self._tag_or_blank(stream)
        old = self.served(tag)
        wanted = self.transform(self.served(tag))
        self._check_version(stream, tag, wanted.metadata)
        spec = self.checked(tag, old, wanted, new_stream=stream is None)
        self.created = tag.spec is None
        if self.created:
            self.may_create()
        if stream is None:
            refuse_terminating(state, self.namespace, self.resource, self.full_name)
            refuse_over_quota(state, self.around, self.resource, self.namespace, self.full_name)
        draft = Draft(self.namespace, self.stream, stream)
        ensure_stream(draft, self.uid, self.around)
        errors = set_tag(draft, self.tag, spec, self.around)
        refuse_invalid(draft, self.around, errors)
        return Decision(around_tags(self.namespace, self.stream, draft.stream, self.tag), drafts=(draft,))

    def served(self, tag: Tag) -> T:
        raise NotImplementedError

    def checked(self, tag: Tag, old: T, wanted: T, *, new_stream: bool) -> TagReference | None:
        """The spec to set (None removes it), after the resource's own rules."""
        raise NotImplementedError

    def _tag_or_blank(self, stream: ImageStream | None) -> Tag:
        """The tag, or what a tag that does not exist looks like to an update."""
        if stream is None:
            metadata = ObjectMeta(uid=self.uid, creation_timestamp=self.around.now)
            return Tag(self.namespace, self.stream, self.tag, Header(metadata), 0)
        return stream.tags.get(self.tag) or Tag(self.namespace, self.stream, self.tag, stream.header, stream.changed)

    def _check_version(self, stream: ImageStream | None, tag: Tag, wanted: ObjectMeta) -> None:
        given = wanted.resource_version
        if not given:
            return
        if stream is None:
            raise NotFound(self.resource, self.full_name)
        if given != str(tag.changed):
            why = f"another caller has updated the resource version to {tag.changed}"
            raise Conflict(self.resource, self.full_name, why)


class ImageStreamTagUpdate(TagUpdate[ImageStreamTag], kw_only=True):
    def served(self, tag: Tag) -> ImageStreamTag:
        return served.imagestreamtag(tag, None, self.around.registry)

    def checked(
        self, tag: Tag, old: ImageStreamTag, wanted: ImageStreamTag, *, new_stream: bool
    ) -> TagReference | None:
        kind = GroupResource(self.resource.group, "ImageStreamTag")
        given = with_server_fields(wanted.metadata, old.metadata)
        errors = [*validate_any_update(given, old.metadata), *validate_update(given, old.metadata)]
        if wanted.metadata.labels is None:
            wanted.metadata.labels = old.metadata.labels
        if not same_metadata(wanted.metadata, old.metadata, but_annotations=True):
            errors.append(invalid("metadata", "", "may not update fields other than metadata.annotations"))
        if wanted.tag is not None:
            wanted.tag.name = self.tag
            insecure = is_insecure(wanted.metadata.annotations)
            errors += validate_tag_reference(wanted.tag, "tag", self.around.policy.tag_admission(tag.spec), insecure)
        if errors:
            raise Invalid(kind, self.full_name, errors)
        spec = wanted.tag or tag.spec
        if spec is None:
            where = f"{self.namespace}/{self.stream}"
            raise BadRequest(f"imagestreamtag {self.tag} is not a spec tag in imagestream {where}, cannot be updated")
        return msgspec.structs.replace(spec, annotations=wanted.metadata.annotations)


class ImageTagUpdate(TagUpdate[ImageTag], kw_only=True):
    def served(self, tag: Tag) -> ImageTag:
        return served.imagetag(tag, None, self.around.registry)

    def checked(self, tag: Tag, old: ImageTag, wanted: ImageTag, *, new_stream: bool) -> TagReference | None:
        given = with_server_fields(wanted.metadata, old.metadata)
        errors: list[FieldError] = [
            *validate_any_update(given, old.metadata),
            *validate_update(given, old.metadata),
        ]
        if new_stream and wanted.spec is None:
            errors.append(required("spec", "spec is a required field during creation"))
        if not same_metadata(wanted.metadata, old.metadata, but_annotations=False):
            errors.append(invalid("metadata", "", "may not update fields other than spec"))
        if wanted.spec is not None:
            if wanted.spec.name != self.tag:
                errors.append(invalid("spec.name", wanted.spec.name, "must match image tag name"))
            insecure = is_insecure(wanted.metadata.annotations)
            errors += validate_tag_reference(wanted.spec, "spec", self.around.policy.tag_admission(tag.spec), insecure)
        if wanted.status != old.status:
            errors.append(invalid("status", "", "may not update fields other than spec"))
        if errors:
            raise Invalid(GroupResource(self.resource.group, "ImageTag"), self.full_name, errors)
        return wanted.spec


def same_metadata(wanted: ObjectMeta, old: ObjectMeta, *, but_annotations: bool) -> bool:
    """Whether nothing differs but what a client need not repeat, and the annotations where they may be written."""
    repeated: dict[str, object] = {
        "name": old.name,
        "namespace": old.namespace,
        "self_link": old.self_link,
        "uid": wanted.uid or old.uid,
        "resource_version": old.resource_version,
        "creation_timestamp": old.creation_timestamp,
        "generation": old.generation,
    }
    if but_annotations:
        repeated["annotations"] = old.annotations
    return msgspec.structs.replace(wanted, **repeated) == old
