"""What a dead instance may have left of PostgreSQL: a postmaster that is still dying, or a note of one long gone.

PostgreSQL refuses to start while the process named in postmaster.pid lives. After a crash that number may belong to
anything: in a restarted container it often does. We hold the lock of the data folder, so no living instance can own
the cluster, and a postmaster that still works on it may be waited for and then ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

CHECK_INTERVAL_S = 0.05
STEPS = ((None, 10.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))
"""What is sent to a leftover postmaster, and the seconds it gets to be gone."""


async def clear_leftover(cluster: Path) -> None:
    """Return when no postmaster works on this cluster, and none is noted that PostgreSQL would take for one."""
    note = cluster / "postmaster.pid"
    try:
        pid = int(note.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return
    if not _is_alive(pid):
        return
    if not _works_on(pid, cluster):
        note.unlink()
        return
    for step, timeout_s in STEPS:
        if step is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, step)
        if await _is_gone(pid, cluster, timeout_s):
            return


async def _is_gone(pid: int, cluster: Path, timeout_s: float) -> bool:
    """Look again until it is gone or the seconds are over: the end of somebody else's child sends no event."""
    for _ in range(int(timeout_s / CHECK_INTERVAL_S)):
        if not _works_on(pid, cluster):
            return True
        await asyncio.sleep(CHECK_INTERVAL_S)
    return False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _works_on(pid: int, cluster: Path) -> bool:
    """Whether this process was started as `postgres -D cluster`. A zombie has no command line, so it does not count."""
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return os.fsencode(cluster) in arguments
