"""How long and how often a measure is taken, and the load that all measures agree on."""

from __future__ import annotations

import msgspec

CONNECTIONS = 64
CLIENT_PROCESSES = 2
BUSY_CLIENT = 0.95


class Plan(msgspec.Struct, frozen=True):
    seconds: float
    """Of one round of one load."""
    rounds: int

    @property
    def warm_up_s(self) -> float:
        return min(1.0, self.seconds / 2)


def client_note(client_cpu: float) -> str:
    """A word of warning when the clients had no time left, so that it may be them who were measured."""
    return f"; clients were busy ({client_cpu:.0%} of a core)" if client_cpu > BUSY_CLIENT else ""
