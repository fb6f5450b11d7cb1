"""How long ago, in words and short."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from service.resources.durations import age, ago, human_duration

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


@pytest.mark.parametrize(
    ("seconds", "short"),
    [
        (-3, "0s"),
        (0, "0s"),
        (2 * MINUTE - 1, "119s"),
        (2 * MINUTE, "2m"),
        (9 * MINUTE + 59, "9m59s"),
        (10 * MINUTE + 59, "10m"),
        (3 * HOUR - 1, "179m"),
        (3 * HOUR, "3h"),
        (7 * HOUR + 59 * MINUTE, "7h59m"),
        (8 * HOUR + 59 * MINUTE, "8h"),
        (2 * DAY - 1, "47h"),
        (2 * DAY, "2d"),
        (7 * DAY + 23 * HOUR, "7d23h"),
        (8 * DAY + 23 * HOUR, "8d"),
        (730 * DAY - 1, "729d"),
        (730 * DAY, "2y"),
        (8 * 365 * DAY - DAY, "7y364d"),
        (8 * 365 * DAY + DAY, "8y"),
    ],
)
def test_an_age_is_short(seconds: int, short: str) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    moment = now - timedelta(seconds=seconds)
    assert age(f"{moment:%Y-%m-%dT%H:%M:%SZ}", f"{now:%Y-%m-%dT%H:%M:%SZ}") == short


def test_nobody_knows_how_old_it_is() -> None:
    assert age(None, "2026-01-01T00:00:00Z") == "<unknown>"
