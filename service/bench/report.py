"""The result: rows of what was measured, as a table for people and as JSON for programs.

A row is a number of ours with its unit, the limit it is compared with, and the goal it must reach, if there is one.
Keeps: a ratio is always ours divided by the limit; what a row was measured with (rounds, note) goes with it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import msgspec

HEADINGS = ("", "ours", "limit", "ratio", "goal")
SIGNIFICANT_DIGITS = 3


class Goal(msgspec.Struct, frozen=True):
    bound: float
    direction: Literal["at least", "at most"]
    of: Literal["ours", "ratio"]

    def is_met(self, row: Row) -> bool:
        value = row.ours if self.of == "ours" else row.ratio
        if value is None:
            return False
        return value >= self.bound if self.direction == "at least" else value <= self.bound


class Row(msgspec.Struct, frozen=True, kw_only=True):
    measure: str
    what: str
    ours: float
    unit: str
    limit: float | None = None
    limit_is: str = ""
    goal: Goal | None = None
    rounds: tuple[float, ...] = ()
    """Ours, round by round."""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.ours / self.limit if self.limit else None


class Report(msgspec.Struct, frozen=True):
    machine: dict[str, str]
    rows: tuple[Row, ...]

    def to_json(self) -> bytes:
        rows = [
            {**msgspec.structs.asdict(row), "ratio": row.ratio, "met": row.goal.is_met(row) if row.goal else None}
            for row in self.rows
        ]
        return msgspec.json.format(msgspec.json.encode({"machine": self.machine, "rows": rows}), indent=2)

    def to_text(self) -> str:
        machine = [f"{name}: {value}" for name, value in self.machine.items()]
        table = _aligned([HEADINGS, *(_cells(row) for row in self.rows)])
        notes = [f"{row.what}: {_note(row)}" for row in self.rows if _note(row)]
        return "\n".join([*machine, "", *table, "", *notes, ""])


def number(value: float) -> str:
    """Three digits that count, thousands with commas: 0.0123, 4.56, 78.9, 12,345."""
    if value == 0:
        return "0"
    decimals = SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(abs(value)))
    return f"{value:,.{max(0, decimals)}f}"


def _cells(row: Row) -> tuple[str, ...]:
    limit = f"{number(row.limit)} {row.unit}" if row.limit is not None else ""
    ratio = f"{row.ratio:.2f}" if row.ratio is not None else ""
    return row.what, f"{number(row.ours)} {row.unit}", limit, ratio, _goal(row)


def _note(row: Row) -> str:
    limit = [f"limit: {row.limit_is}"] if row.limit_is else []
    return "; ".join(([row.note] if row.note else []) + limit)


def _goal(row: Row) -> str:
    if row.goal is None:
        return ""
    sign = "≥" if row.goal.direction == "at least" else "≤"
    subject = "ratio " if row.goal.of == "ratio" else ""
    bound = f"{row.goal.bound:g}" if row.goal.bound < 1_000 else f"{row.goal.bound:,.0f}"
    return f"{subject}{sign} {bound}: {'met' if row.goal.is_met(row) else 'MISSED'}"


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return [_padded(line, widths) for line in lines]


def _padded(line: Sequence[str], widths: Sequence[int]) -> str:
    """The first and the last column to the left, numbers to the right."""
    first, *numbers, last = (
        cell.ljust(width) if column in (0, len(widths) - 1) else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(line, widths, strict=True))
    )
    return "  ".join([first, *numbers, last]).rstrip()
