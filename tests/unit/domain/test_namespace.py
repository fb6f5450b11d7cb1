"""A namespace: what events make of it, how it is shown, how it may be called."""

from __future__ import annotations

import msgspec
import pytest

from service.api.meta_v1 import ObjectMeta
from service.domain.events import NamespaceChanged, NamespaceCreated, NamespaceDeleted, NamespaceEvent
from service.domain.imagestream import UnfoldableEventError
from service.domain.namespace import NAME_LABEL, Namespace, apply, name_problems, served, stored_metadata

METADATA = ObjectMeta(uid="u", creation_timestamp="2026-01-01T00:00:00Z", labels={NAME_LABEL: "team"})
ACTIVE = Namespace("team", METADATA, 3)


def test_it_lives_from_its_creation_to_its_deletion() -> None:
    marked = msgspec.structs.replace(METADATA, deletion_timestamp="2026-01-02T00:00:00Z")
    created = apply(None, "team", NamespaceCreated(METADATA), 3)
    assert created == ACTIVE
    terminating = apply(created, "team", NamespaceChanged(marked), 4)
    assert terminating == Namespace("team", marked, 4)
    assert terminating.is_terminating
    assert apply(terminating, "team", NamespaceDeleted(), 5) is None


@pytest.mark.parametrize(
    ("before", "event"),
    [(ACTIVE, NamespaceCreated(METADATA)), (None, NamespaceChanged(METADATA)), (None, NamespaceDeleted())],
)
def test_an_event_that_cannot_have_happened_stops_the_fold(before: Namespace | None, event: NamespaceEvent) -> None:
    with pytest.raises(UnfoldableEventError):
        apply(before, "team", event, 9)


def test_it_is_shown_with_its_name_its_version_and_its_phase() -> None:
    shown = served(ACTIVE)
    assert (shown.metadata.name, shown.metadata.resource_version, shown.metadata.uid) == ("team", "3", "u")
    assert shown.status.phase == "Active"
    marked = msgspec.structs.replace(METADATA, deletion_timestamp="2026-01-02T00:00:00Z")
    assert served(Namespace("team", marked, 4)).status.phase == "Terminating"
    assert served(msgspec.structs.replace(ACTIVE, changed=0)).metadata.resource_version == ""


def test_what_is_stored_names_itself_in_a_label_only() -> None:
    given = ObjectMeta(name="team", resource_version="7", uid="u", labels={"tier": "test", NAME_LABEL: "other"})
    stored = stored_metadata(given, "team")
    assert stored == ObjectMeta(uid="u", labels={"tier": "test", NAME_LABEL: "team"})
    assert given.labels == {"tier": "test", NAME_LABEL: "other"}


@pytest.mark.parametrize("name", ["a", "team-1", "0", "a" * 63])
def test_a_good_name(name: str) -> None:
    assert name_problems(name, False) == []


@pytest.mark.parametrize("name", ["", "Team", "a_b", "-a", "a-", "a.b", "a" * 64])
def test_a_bad_name(name: str) -> None:
    assert name_problems(name, False) != []


def test_a_prefix_may_end_as_no_name_may() -> None:
    assert name_problems("team-", True) == []
    assert name_problems("Team-", True) != []
