"""Which event a change is, row by row of kube-api 7.3."""

from __future__ import annotations

import pytest

from service.domain.events import Header
from service.domain.imagestream import ImageStream, Tag
from service.domain.selectors import parse_field_selector, parse_label_selector
from service.domain.served import Registry
from service.domain.world import Change, Collection, Happened, State, World
from service.watch.scope import EventType, Key, Scope, Seen, fields_of, key_of, labels_of
from tests.unit.watch.chronicle import DIGESTS, header, image_registered

IN, OUT = header({"sel": "in"}), header({"sel": "out"})
SCOPE = Scope(Collection.IMAGE_STREAMS, "ns", labels=parse_label_selector("sel=in"))


def stream(made_of: Header | None, changed: int) -> ImageStream | None:
    return ImageStream("ns", "x", made_of, changed) if made_of else None


@pytest.mark.parametrize(
    ("old", "new", "seen"),
    [
        (None, IN, EventType.ADDED),
        (OUT, IN, EventType.ADDED),
        (IN, IN, EventType.MODIFIED),
        (IN, OUT, EventType.DELETED),
        (IN, None, EventType.DELETED),
        (OUT, OUT, None),
        (OUT, None, None),
        (None, OUT, None),
    ],
)
def test_every_row_of_the_table(old: Header | None, new: Header | None, seen: EventType | None) -> None:
    before, after = stream(old, 1), stream(new, 2)
    found = SCOPE.seen(Change(2, Collection.IMAGE_STREAMS, "ns", "x", before, after))
    shown = before if seen is EventType.DELETED else after
    assert found == (Seen(seen, shown) if seen and shown else None)


def test_a_deletion_shows_the_object_as_it_last_was() -> None:
    before = ImageStream("ns", "x", IN, 1)
    found = Scope(Collection.IMAGE_STREAMS).seen(Change(2, Collection.IMAGE_STREAMS, "ns", "x", before, None))
    assert found is not None
    assert found.state is before


def test_a_scope_covers_its_place_alone() -> None:
    whole, namespaced = Scope(Collection.IMAGE_TAGS), Scope(Collection.IMAGE_TAGS, "a")
    one, anywhere = Scope(Collection.IMAGE_TAGS, "a", "x:1"), Scope(Collection.IMAGE_TAGS, None, "x:1")
    places = [("a", "x:1"), ("a", "x:2"), ("b", "x:1")]
    covered = [[scope.covers(*place) for place in places] for scope in (whole, namespaced, one, anywhere)]
    assert covered == [[True, True, True], [True, True, False], [True, False, False], [True, False, True]]
    assert [scope.stream for scope in (whole, one, Scope(Collection.IMAGES, None, DIGESTS[0]))] == [None, "x", None]


def image(labels: dict[str, str] | None) -> State:
    world = World()
    world.apply([Happened(1, *image_registered(DIGESTS[0], labels))])
    return world.images[DIGESTS[0]]


def test_labels_are_those_the_object_is_served_with() -> None:
    assert labels_of(image({"a": "b"})) == {"a": "b"}
    assert labels_of(image(None)) is None
    assert labels_of(Tag("ns", "x", "1", IN, 1)) == {"sel": "in"}


def test_fields_that_can_be_selected_by() -> None:
    """Names of tags are STREAM:TAG; repositories are those of the served object."""
    registry = Registry(internal_hostname="registry.local")
    served = fields_of(ImageStream("ns", "x", Header(IN.metadata, docker_image_repository="quay.io/x"), 1), registry)
    assert served == {
        "metadata.name": "x",
        "metadata.namespace": "ns",
        "spec.dockerImageRepository": "quay.io/x",
        "status.dockerImageRepository": "registry.local/ns/x",
    }
    assert fields_of(Tag("ns", "x", "1", IN, 1), registry) == {"metadata.name": "x:1", "metadata.namespace": "ns"}
    assert key_of(image(None)) == Key("", DIGESTS[0])


def test_field_selectors_select() -> None:
    scope = Scope(Collection.IMAGE_STREAMS, fields=parse_field_selector("metadata.name!=x"))
    assert not scope.matches(ImageStream("ns", "x", IN, 1))
    assert scope.matches(ImageStream("ns", "y", IN, 1))
    assert (scope.selects, Scope(Collection.IMAGES).selects) == (True, False)
