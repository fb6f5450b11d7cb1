"""What came of a run: counts, and every promise that was broken."""

from __future__ import annotations

from collections import Counter

import msgspec

from tests.faults.complaint import Complaint
from tests.faults.history import History
from tests.faults.plan import Plan
from tests.faults.truth import Truth

SHOWN_LIMIT = 20
OF_ONE_PROMISE_LIMIT = 4


class Report(msgspec.Struct, frozen=True):
    counts: dict[str, int]
    broken: list[str]
    """Empty: every promise was kept."""
    plan: Plan

    def __str__(self) -> str:
        width = max(map(len, self.counts))
        lines = [f"{name:<{width}} {count:>9,}" for name, count in self.counts.items()]
        verdict = f"{len(self.broken)} promises broken" if self.broken else "every promise was kept"
        return "\n".join([*lines, f"seed {self.plan.seed}, {self.plan.seconds:.0f} s: {verdict}", *self.broken])


def report(plan: Plan, truth: Truth, history: History, complaints: list[Complaint]) -> Report:
    """A complaint of each kind a few times; their number says how many there are."""
    told: Counter[str] = Counter()
    broken: list[str] = []
    for complaint in complaints:
        told[complaint.promise] += 1
        if told[complaint.promise] <= OF_ONE_PROMISE_LIMIT and len(broken) < SHOWN_LIMIT:
            broken.append(complaint.tell(truth.events, history.lines))
    broken += [f"{count} times: {promise}" for promise, count in told.items() if count > OF_ONE_PROMISE_LIMIT]
    return Report(counts(truth, history), broken, plan)


def counts(truth: Truth, history: History) -> dict[str, int]:
    outcomes = Counter(write.outcome.value for write in history.writes)
    kinds = Counter(line.type for session in history.sessions for line in session.lines)
    deliveries = sum(count for kind, count in kinds.items() if kind in ("ADDED", "MODIFIED", "DELETED"))
    return {
        "events": truth.head,
        "commands": len(truth.commands),
        **{f"writes {outcome}": count for outcome, count in sorted(outcomes.items())},
        "gets": len(history.gets),
        "lists": len(history.lists),
        "pages": sum(len(listed.pages) for listed in history.lists),
        "watch connections": len(history.sessions),
        "deliveries compared": deliveries,
        "bookmarks": kinds["BOOKMARK"],
        "faults": len(history.faults),
        **{f"  {kind}": count for kind, count in sorted(Counter(fault.kind for fault in history.faults).items())},
        "answers that were none": len(history.troubles),
    }
