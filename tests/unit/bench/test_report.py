"""The report: ratios, goals, and a table that people can read."""

from __future__ import annotations

import msgspec
import pytest

from service.bench.report import Goal, Report, Row, number

FAST = Row(
    measure="push",
    what="pushes",
    ours=3_456.0,
    unit="pushes/s",
    limit=13_824.0,
    goal=Goal(3_000, "at least", "ours"),
    rounds=(3_400.0, 3_456.0, 3_500.0),
    note="half of them new",
)
SLOW = Row(measure="push", what="p99", ours=51.0, unit="ms", goal=Goal(50, "at most", "ours"))
FLAT = Row(measure="flat", what="long", ours=1.1, unit="ms", limit=1.0, goal=Goal(1.2, "at most", "ratio"))
ALONE = Row(measure="memory", what="watcher", ours=16.0, unit="kB", goal=Goal(0.4, "at least", "ratio"))


@pytest.mark.parametrize(("row", "met"), [(FAST, True), (SLOW, False), (FLAT, True)])
def test_a_goal_bounds_our_number_or_its_ratio_to_the_limit(row: Row, met: bool) -> None:
    assert row.goal is not None
    assert row.goal.is_met(row) is met


def test_a_ratio_that_was_not_measured_meets_no_goal() -> None:
    assert ALONE.ratio is None
    assert ALONE.goal is not None
    assert not ALONE.goal.is_met(ALONE)


def test_the_table_has_a_line_for_each_row_and_the_notes_below() -> None:
    text = Report({"cores": "4"}, (FAST, SLOW)).to_text()
    assert text.splitlines() == [
        "cores: 4",
        "",
        "                  ours            limit  ratio  goal",
        "pushes  3,456 pushes/s  13,824 pushes/s   0.25  ≥ 3,000: met",
        "p99            51.0 ms                          ≤ 50: MISSED",
        "",
        "pushes: half of them new",
    ]


def test_the_json_has_the_ratio_and_the_verdict_of_each_row() -> None:
    document = msgspec.json.decode(Report({"cores": "4"}, (FAST, ALONE)).to_json())
    fast, alone = document["rows"]
    assert (fast["ours"], fast["ratio"], fast["met"], fast["rounds"]) == (3456.0, 0.25, True, [3400.0, 3456.0, 3500.0])
    assert (alone["ratio"], alone["met"]) == (None, False)
    assert document["machine"] == {"cores": "4"}


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (0.01234, "0.0123"), (0.5, "0.500"), (4.567, "4.57"), (78.94, "78.9"), (12_345.6, "12,346")],
)
def test_numbers_are_shown_with_three_digits_that_count(value: float, shown: str) -> None:
    assert number(value) == shown
