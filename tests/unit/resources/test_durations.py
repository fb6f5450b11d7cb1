"""How long ago, in words."""

from __future__ import annotations

import pytest

from service.resources.durations import ago, human_duration

MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "Less than a second"),
        (0, "Less than a second"),
        (1, "1 second"),
        (59, "59 seconds"),
        (MINUTE, "About a minute"),
        (2 * MINUTE - 1, "About a minute"),
        (2 * MINUTE, "2 minutes"),
        (HOUR - 1, "59 minutes"),
        (HOUR, "About an hour"),
        (HOUR + 30 * MINUTE - 1, "About an hour"),
        (HOUR + 30 * MINUTE, "2 hours"),
        (2 * DAY - 31 * MINUTE, "47 hours"),
        (2 * DAY - 30 * MINUTE, "2 days"),
        (14 * DAY - HOUR, "13 days"),
        (14 * DAY, "2 weeks"),
        (60 * DAY - HOUR, "8 weeks"),
        (60 * DAY, "2 months"),
        (730 * DAY - HOUR, "24 months"),
        (730 * DAY, "2 years"),
        (36500 * DAY, "100 years"),
    ],
)
def test_durations_in_words(seconds: int, words: str) -> None:
    assert human_duration(seconds) == words


def test_a_moment_is_so_long_ago() -> None:
    now = "2026-01-02T00:00:03Z"
    assert ago("2026-01-02T00:00:00Z", now) == "3 seconds ago"
    assert ago("0000-12-31T00:00:00Z", now) == "2025 years ago"
    assert ago(None, now) == ""
    assert ago("", now) == ""
