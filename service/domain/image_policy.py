"""What an administrator lets in, as one value: registries, sources of imports, limits; and what it says of a stream.

Keeps: without a policy nothing is looked at and nothing is refused. What a stored stream names already stays allowed,
so that nobody is locked in by a stricter policy. Source: spec: image-api 11.3-11.5.
Elsewhere: the rules themselves (`allowed_registries.py`, `image_limits.py`), the file (`auth/image_policy_file.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from service.api.image_v1 import TagReference
from service.api.pull_specs import InvalidPullSpec, PullSpec, parse_pull_spec
from service.domain.allowed_registries import AllowedRegistries, RegistrySources, repository_of
from service.domain.draft import Draft
from service.domain.errors import Forbidden, image_resource
from service.domain.events import TagImaged
from service.domain.field_errors import FieldError, forbidden, internal
from service.domain.image_limits import NO_LIMITS, Limits, stream_excess
from service.domain.imagestream import ImageStream
from service.domain.tag_validation import AdmitReference, admit_every, is_insecure

_STREAM = image_resource("ImageStream")


class ImagePolicy(msgspec.Struct, frozen=True):
    registries: AllowedRegistries = AllowedRegistries()
    sources: RegistrySources = RegistrySources()
    limits: Mapping[str, Limits] = {}
    """By namespace."""

    def limits_of(self, namespace: str) -> Limits:
        return self.limits.get(namespace, NO_LIMITS)

    def admission(self, stored: ImageStream | None = None) -> AdmitReference:
        """The question for each reference of a stream; repositories that it names already are let in."""
        return self._admit_but(_named_by(stored)) if self.registries.patterns else admit_every

    def tag_admission(self, stored: TagReference | None) -> AdmitReference:
        """The same for the spec of one tag."""
        return self._admit_but(_sources((stored,) if stored else ())) if self.registries.patterns else admit_every

    def _admit_but(self, stored: Iterator[str]) -> AdmitReference:
        repositories: set[str] | None = None

        def admit(spec: PullSpec, insecure: bool) -> str | None:
            nonlocal repositories
            refusal = self.registries.refusal(spec, insecure)
            if refusal is not None and repositories is None:
                repositories = _repositories(stored)
            return None if refusal is None or repository_of(spec) in (repositories or ()) else refusal

        return admit

    def limit_errors(self, draft: Draft) -> list[FieldError]:
        """A stream over its limits, as the writer of its spec is told (spec: image-api 11.5.1)."""
        excess = self._excess(draft)
        return [internal("[]", excess)] if excess else []

    def status_limit_errors(self, draft: Draft) -> list[FieldError]:
        """The same for the writer of its status."""
        excess = self._excess(draft)
        return [forbidden("imageStream", excess)] if excess else []

    def move_errors(self, draft: Draft) -> list[FieldError]:
        """What is wrong with the images that tags were moved to, where a move is all the draft is about."""
        return [*self.status_limit_errors(draft), *self._reference_errors(draft)]

    def _excess(self, draft: Draft) -> str | None:
        limits = self.limits_of(draft.namespace)
        if limits is NO_LIMITS or draft.stream is None or draft.stream is draft.before:
            return None
        excess = stream_excess(limits, draft.before, draft.stream)
        return Forbidden(_STREAM, draft.name, excess).message if excess else None

    def _reference_errors(self, draft: Draft) -> list[FieldError]:
        if not self.registries.patterns:
            return []
        known = set(_history(draft.before))
        errors = []
        for move in draft.events:
            if not isinstance(move, TagImaged) or move.item.docker_image_reference in known:
                continue
            tag = draft.tag(move.tag)
            insecure = is_insecure(draft.existing.header.metadata.annotations) or bool(
                tag and tag.spec and tag.spec.import_policy.insecure
            )
            refusal = self.registries.refusal(parse_pull_spec(move.item.docker_image_reference), insecure)
            if refusal is not None:
                errors.append(forbidden(f"status.tags[{move.tag}].items[0].dockerImageReference", refusal))
        return errors


def _named_by(stream: ImageStream | None) -> Iterator[str]:
    """Every reference of a stored stream."""
    if stream is None:
        return
    yield stream.header.docker_image_repository
    yield from _sources(tag.spec for tag in stream.tags.values() if tag.spec is not None)
    yield from _history(stream)


def _sources(specs: Iterator[TagReference] | tuple[TagReference, ...]) -> Iterator[str]:
    for spec in specs:
        if spec.from_ is not None and spec.from_.kind == "DockerImage":
            yield spec.from_.name


def _history(stream: ImageStream | None) -> Iterator[str]:
    for tag in stream.tags.values() if stream is not None else ():
        if tag.history is not None:
            for item in tag.history.items():
                yield item.docker_image_reference


def _repositories(references: Iterator[str]) -> set[str]:
    found = set()
    for reference in references:
        try:
            found.add(repository_of(parse_pull_spec(reference)))
        except InvalidPullSpec:
            # What cannot be parsed may stay where it is; it lets nothing else in.
            continue
    return found
