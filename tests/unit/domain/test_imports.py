"""What an import does to its image stream (spec: image-api 9.6, 4.8): each rule, by events and what they fold to."""

from __future__ import annotations

import msgspec

from service.api.image_v1 import ImageStream, ImageStreamSpec, TagImportPolicy, TagReference, TagReferencePolicy
from service.api.meta_v1 import ObjectMeta, ObjectReference
from service.domain.draft import Draft
from service.domain.events import TagImaged, TagImportFailed, TagInherited
from service.domain.imagestream import ImageStream as StreamState
from service.domain.imagestream import Tag
from service.domain.imports import CHECKED, Imported, NotImported, Source, record_import
from service.domain.served import Registry
from service.domain.stream_changes import create
from service.domain.tag_changes import ensure_stream
from service.domain.tag_resolution import Surroundings

ONE, TWO = (f"sha256:{digit * 64}" for digit in "12")
NAME = "quay.io/a/b:1"


def around(now: str) -> Surroundings:
    return Surroundings(now, Registry(), lambda namespace, name: None, lambda namespace, name: True)


def source(tag: str, name: str = NAME, **policy: object) -> Source:
    importing = msgspec.structs.replace(TagImportPolicy(import_mode="Legacy"), **policy)
    return Source(tag, name, importing, TagReferencePolicy("Source"))


def imported(tag: str, image: str = ONE, name: str = NAME, **policy: object) -> Imported:
    return Imported(source(tag, name, **policy), image, f"quay.io/a/b@{image}")


def failed(tag: str, message: str = "no", *, makes_spec: bool = True) -> NotImported:
    return NotImported(source(tag), "NotFound", message, makes_spec)


def after(stream: StreamState | None, *outcomes: Imported | NotImported, now: str = "2026-01-01T00:00:00Z") -> Draft:
    draft = Draft("ns", "app", stream)
    ensure_stream(draft, "u", around(now))
    record_import(draft, list(outcomes), now)
    return draft


def history(tag: Tag) -> list[tuple[str, int]]:
    return [(item.image, item.generation) for item in tag.items]


def generations(draft: Draft, tag: str) -> tuple[int, int | None, int | None]:
    """Of the stream, of the tag's spec, and of its newest entry."""
    found = draft.existing.tags[tag]
    return (
        draft.existing.generation,
        found.spec.generation if found.spec else None,
        found.head.generation if found.head else None,
    )


def test_a_first_import_makes_stream_spec_and_history() -> None:
    draft = after(None, imported("v1"))
    tag = draft.existing.tags["v1"]
    assert generations(draft, "v1") == (1, 1, 1)
    assert tag.spec is not None
    assert tag.spec.from_ == ObjectReference(kind="DockerImage", name=NAME)
    assert history(tag) == [(ONE, 1)]
    assert draft.existing.header.metadata.annotations == {CHECKED: "2026-01-01T00:00:00Z"}
    assert tag.header == draft.existing.header


def test_an_import_of_what_is_there_is_recorded_and_changes_nothing() -> None:
    stream = after(None, imported("v1")).existing
    draft = after(stream, imported("v1"), now="2026-01-02T00:00:00Z")
    assert draft.existing is stream
    assert [type(event) for event in draft.events] == [TagImaged]


def test_another_image_moves_the_tag_and_counts() -> None:
    stream = after(None, imported("v1")).existing
    draft = after(stream, imported("v1", TWO), now="2026-01-02T00:00:00Z")
    assert generations(draft, "v1") == (2, 2, 2)
    assert history(draft.existing.tags["v1"]) == [(TWO, 2), (ONE, 1)]
    assert (draft.existing.header.metadata.annotations or {})[CHECKED] == "2026-01-02T00:00:00Z"


def test_two_imports_into_one_tag_are_two_moves() -> None:
    draft = after(None, imported("x", ONE, "quay.io/a/b:1"), imported("x", TWO, "quay.io/a/b:2"))
    tag = draft.existing.tags["x"]
    assert history(tag) == [(TWO, 1), (ONE, 1)]
    assert tag.spec is not None
    assert tag.spec.from_ is not None
    assert tag.spec.from_.name == "quay.io/a/b:2"


def specified(**fields: object) -> StreamState:
    """A stream with a spec tag `t` that nothing was imported for, and `u` that follows it."""
    draft = Draft("ns", "app", None)
    metadata = ObjectMeta(name="app", namespace="ns", uid="u", creation_timestamp="2026-01-01T00:00:00Z")
    tag = TagReference(name="t", from_=ObjectReference(kind="DockerImage", name=NAME), annotations={"keep": "me"})
    tag.import_policy, tag.reference_policy = TagImportPolicy(import_mode="Legacy"), TagReferencePolicy("Source")
    for name, value in fields.items():
        setattr(tag, name, value)
    follower = TagReference(name="u", from_=ObjectReference(kind="ImageStreamTag", name="t"))
    wanted = ImageStream(metadata=metadata, spec=ImageStreamSpec(tags=[tag, follower]))
    assert create(draft, wanted, around("2026-01-01T00:00:00Z")) == []
    return draft.existing


def test_a_tag_that_is_there_keeps_what_it_says_but_for_the_import() -> None:
    policy = TagImportPolicy(scheduled=True, import_mode="Legacy")
    wanted = Imported(Source("t", "quay.io/a/b:2", policy, TagReferencePolicy("Local")), TWO, f"quay.io/a/b@{TWO}")
    spec = after(specified(), wanted).existing.tags["t"].spec
    assert spec is not None
    assert spec.from_ is not None
    assert (spec.annotations, spec.from_.name) == ({"keep": "me"}, "quay.io/a/b:2")
    assert (spec.import_policy.scheduled, spec.reference_policy.type) == (True, "Source")


def test_tags_that_follow_move_in_the_same_command() -> None:
    draft = after(specified(), imported("t"))
    assert history(draft.existing.tags["u"]) == history(draft.existing.tags["t"]) == [(ONE, 2)]


def test_the_tags_that_did_not_move_inherit_when_the_stream_was_checked() -> None:
    stream = after(None, imported("a"), imported("b")).existing
    draft = after(stream, imported("a", TWO), imported("b"), now="2026-01-02T00:00:00Z")
    assert TagInherited("b") in draft.events
    assert draft.existing.tags["b"].header == draft.existing.header


def test_a_failure_makes_a_tag_with_a_condition() -> None:
    draft = after(None, failed("t"))
    tag = draft.existing.tags["t"]
    assert generations(draft, "t") == (1, 1, None)
    (condition,) = tag.conditions
    assert (condition.type, condition.status, condition.reason, condition.message, condition.generation) == (
        "ImportSuccess",
        "False",
        "NotFound",
        "no",
        1,
    )


def test_but_the_tags_of_a_repository_begin_with_a_success() -> None:
    tag = after(None, failed("t", makes_spec=False)).existing.tags["t"]
    assert tag.spec is None
    assert tag.conditions


def test_a_failure_keeps_history_and_source_and_counts_once() -> None:
    stream = after(None, imported("t")).existing
    draft = after(stream, failed("t"))
    tag = draft.existing.tags["t"]
    assert generations(draft, "t") == (2, 2, 1)
    assert history(tag) == [(ONE, 1)]
    assert tag.conditions[0].generation == 2
    again = after(draft.existing, failed("t"), now="2026-01-02T00:00:00Z")
    assert again.existing is draft.existing
    assert [type(event) for event in again.events] == [TagImportFailed]
    other = after(draft.existing, failed("t", "another reason"))
    assert generations(other, "t") == (3, 3, 1)


def test_a_success_ends_the_failure_also_where_the_image_is_the_same() -> None:
    stream = after(None, imported("t")).existing
    broken = after(stream, failed("t")).existing
    draft = after(broken, imported("t"))
    tag = draft.existing.tags["t"]
    assert tag.conditions == ()
    assert generations(draft, "t") == (3, 3, 3)
    assert history(tag) == [(ONE, 3)]


def test_another_policy_alone_is_a_change_of_the_spec() -> None:
    stream = after(None, imported("t")).existing
    draft = after(stream, imported("t", scheduled=True))
    assert generations(draft, "t") == (2, 1, 1)
    kept = after(stream, imported("t", import_mode="PreserveOriginal"))
    assert generations(kept, "t") == (2, 2, 1)
