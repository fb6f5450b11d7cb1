"""Which history and which images may go."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.api.image_v1 import ImageStream, ImageStreamStatus, NamedTagEventList, TagEvent, TagReference
from service.api.meta_v1 import ObjectMeta, ObjectReference
from service.domain.pruning import KnownImage, Rule, cuts_of, history_of, images_to_delete, without

YEARS = st.integers(2001, 2009).map(lambda year: f"{year}-01-01T00:00:00Z")
DIGESTS = st.sampled_from(["sha256:a", "sha256:b", "sha256:c", "sha256:d", "sha256:gone"])
OLD, MIDDLE, YOUNG = "2001-01-01T00:00:00Z", "2005-01-01T00:00:00Z", "2009-01-01T00:00:00Z"


def entry(image: str, created: str = OLD) -> TagEvent:
    return TagEvent(created=created, docker_image_reference=f"r/{image}", image=image, generation=1)


def stream(tags: dict[str, list[TagEvent]], *, created: str = OLD, sources: tuple[str, ...] = ()) -> ImageStream:
    made = ImageStream(metadata=ObjectMeta(name="web", namespace="team", creation_timestamp=created))
    made.status = ImageStreamStatus(tags=[NamedTagEventList(tag=tag, items=items) for tag, items in tags.items()])
    for name in sources:
        made.spec.tags.append(TagReference(name=name[-1], from_=ObjectReference(kind="DockerImage", name=name)))
    return made


def images(*names: str, created: str = OLD) -> dict[str, KnownImage]:
    return {name: KnownImage(name, created) for name in names}


def gone(made: ImageStream, known: dict[str, KnownImage], rule: Rule) -> dict[str, list[str]]:
    return {cut.tag: [item.image for item in cut.gone] for cut in cuts_of(made, known, rule)}


def test_the_newest_revisions_stay_and_so_does_what_is_young() -> None:
    made = stream({"v1": [entry("a"), entry("b"), entry("c", YOUNG), entry("d")], "v2": [entry("d")]})
    known = images("a", "b", "c", "d")
    assert gone(made, known, Rule(MIDDLE, 1)) == {"v1": ["b", "d"]}
    assert gone(made, known, Rule(MIDDLE, 0)) == {"v1": ["a", "b", "d"], "v2": ["d"]}
    assert gone(made, known, Rule(OLD.replace("2001", "2000"), 0)) == {}


def test_entries_whose_image_is_gone_go_however_new_they_are() -> None:
    made = stream({"v1": [entry("gone", YOUNG), entry("a")]})
    assert gone(made, images("a"), Rule(MIDDLE, 3)) == {"v1": ["gone"]}


def test_nothing_goes_from_a_young_stream() -> None:
    assert gone(stream({"v1": [entry("gone")]}, created=YOUNG), {}, Rule(MIDDLE, 0)) == {}


def test_what_a_tag_names_by_digest_stays() -> None:
    made = stream({"v1": [entry("sha256:a"), entry("sha256:b")]}, sources=("quay.io/team/web@sha256:b",))
    assert gone(made, images("sha256:a", "sha256:b"), Rule(MIDDLE, 0)) == {"v1": ["sha256:a"]}


def test_a_tag_without_anything_left_is_not_listed() -> None:
    made = stream({"v1": [entry("a")], "v2": [entry("b", YOUNG)]})
    left = without(made, cuts_of(made, images("a", "b"), Rule(MIDDLE, 0)))
    assert [tag.tag for tag in left.status.tags] == ["v2"]
    assert [tag.tag for tag in made.status.tags] == ["v1", "v2"]


def test_an_image_that_a_kept_list_names_stays_with_it() -> None:
    known = images("amd64", "arm64", "other") | {"list": KnownImage("list", OLD, members=("amd64", "arm64"))}
    assert [i.name for i in images_to_delete([stream({"v1": [entry("list")]})], known, Rule(MIDDLE, 0))] == ["other"]
    young = {**known, "list": KnownImage("list", YOUNG, members=("amd64",))}
    assert [i.name for i in images_to_delete([], young, Rule(MIDDLE, 0))] == ["arm64", "other"]


@given(
    tags=st.dictionaries(st.sampled_from(["v1", "v2"]), st.lists(st.builds(entry, DIGESTS, YEARS), max_size=6)),
    known=st.dictionaries(DIGESTS.filter(lambda name: name != "sha256:gone"), YEARS),
    rule=st.builds(Rule, YEARS, st.integers(0, 4)),
)
def test_pruning_is_done_at_once_and_leaves_no_entry_without_its_image(
    tags: dict[str, list[TagEvent]], known: dict[str, str], rule: Rule
) -> None:
    catalogue = {name: KnownImage(name, created) for name, created in known.items()}
    made = stream(tags, created="2000-01-01T00:00:00Z")
    left = without(made, cuts_of(made, catalogue, rule))
    assert cuts_of(left, catalogue, rule) == []
    deleted = {image.name for image in images_to_delete([left], catalogue, rule)}
    assert not deleted & history_of(left)
    assert history_of(left) <= set(catalogue)
    assert all(not rule.keeps(catalogue[name].created) for name in deleted)
