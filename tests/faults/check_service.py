"""How the service behaved while it was hurt: which answers were none, whether they said when to come again, what it
wrote into its own log, and whether what cannot hurt clients did not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.faults.complaint import Complaint
from tests.faults.history import Fault, History, Trouble
from tests.faults.nemesis import HARMLESS_TO_CLIENTS

EXPECTED_ERRORS = re.compile(
    r'msg="(process died, starting it again|process does not start)"'
    # asyncpg forgets a waiter of its own when the server dies in the middle of a COPY.
    r"|logger=asyncio .*never retrieved.*ConnectionDoesNotExistError"
    # nats-py forgets its own tasks when a server that is frozen does not let it say good-bye.
    r"|logger=asyncio .*Task was destroyed but it is pending.*/nats/aio/"
)
LINE_LIMIT_CHARACTERS = 2_000


def check_service(history: History, log: Path) -> Iterator[Complaint]:
    for trouble in history.troubles:
        yield from _check_trouble(trouble)
    for trouble in _needless(history):
        what = f"{_told(trouble)} while nothing was broken that a client needs"
        yield Complaint("writes and reads go on without NATS and projections", what)
    for line in log.read_text(errors="replace").splitlines():
        if ("level=error" in line or line.startswith("Traceback")) and not EXPECTED_ERRORS.search(line):
            yield Complaint("no fault is an error of the service's own", line[:LINE_LIMIT_CHARACTERS])


def _check_trouble(trouble: Trouble) -> Iterator[Complaint]:
    code = trouble.code
    if code == 500 and trouble.reason != "ServerTimeout":
        yield Complaint("a fault is answered as what it is", _told(trouble))
    elif code == 410:
        yield Complaint("history has no horizon", _told(trouble))
    elif code and 400 <= code < 500 and code != 429:
        yield Complaint("a list or watch of what is served is answered", _told(trouble))
    elif code and trouble.retry_after_s is None:
        yield Complaint("who is turned away is told when to come again", _told(trouble))


def _needless(history: History) -> Iterator[Trouble]:
    """What went wrong with writes and reads of the present while only what is behind them was broken."""
    calm = [fault for fault in history.faults if fault.kind in HARMLESS_TO_CLIENTS and fault.healed]
    hurting = [fault for fault in history.faults if fault.kind not in HARMLESS_TO_CLIENTS]
    for trouble in history.troubles:
        inside = any(_within(trouble, fault) for fault in calm)
        overlaps = any(_overlaps(trouble, fault) for fault in hurting)
        if trouble.what in ("write", "get") and inside and not overlaps:
            yield trouble


def _within(trouble: Trouble, fault: Fault) -> bool:
    assert fault.healed is not None
    return fault.begun.tick <= trouble.begun.tick and trouble.ended.tick <= fault.healed.tick


def _overlaps(trouble: Trouble, fault: Fault) -> bool:
    return fault.begun.tick <= trouble.ended.tick and (fault.healed is None or trouble.begun.tick <= fault.healed.tick)


def _told(trouble: Trouble) -> str:
    lasted_s = trouble.ended.wall_s - trouble.begun.wall_s
    return f"{trouble.what}: {trouble.code} {trouble.reason} {trouble.message!r}, after {lasted_s:.1f} s"
