"""One `tag-history up --workers 2` for all pytest processes that want it at the same time.

The first user starts a keeper process; whoever comes later finds its ready file. Every user holds a shared lock on
the folder for as long as it uses the instance, and the kernel lets go of the lock of a process that dies, however it
dies. The keeper stops the instance and removes the folder when it gets that lock for itself, so nothing outlives the
test run. Elsewhere: what the tests do with an instance (`conftest.py`).
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.runtime.roles import role_environment
from tests.engines import READY_TIMEOUT_S, STOP_TIMEOUT_S

WORKERS = 2
POLL_S = 0.1
LONGEST_LIFE_S = 3600.0


@contextmanager
def used_instance(folder: Path) -> Iterator[Path]:
    """The data folder of a ready instance, for the time of the block. Raises RuntimeError if it cannot start."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "users").open("a") as users:
        with (folder / "starting").open("a") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            # Waits for a keeper that is about to stop the instance, which takes its ready file away.
            fcntl.flock(users, fcntl.LOCK_SH)
            if not (folder / "ready").exists():
                _start_keeper(folder)
        yield folder / "data"


def _start_keeper(folder: Path) -> None:
    command = [sys.executable, "-P", "-m", "tests.acceptance.shared_instance", str(folder)]
    log = folder / "keeper.log"
    # Not with subprocess, which warns of children that outlive it; this one outlives whoever starts it.
    keeper = os.posix_spawn(
        sys.executable,
        command,
        role_environment({}),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    deadline = time.monotonic() + READY_TIMEOUT_S
    while not (folder / "ready").exists():
        if os.waitpid(keeper, os.WNOHANG) != (0, 0) or time.monotonic() > deadline:
            raise RuntimeError(f"no instance in {folder}: {log.read_text()[-2000:]}")
        time.sleep(POLL_S)


def keep(folder: Path) -> None:
    """Run the instance for as long as it has users. Its log is `up.log` beside its data."""
    arguments = ["up", "--data-dir", str(folder / "data"), "--listen", "127.0.0.1:0", "--workers", str(WORKERS)]
    with (folder / "up.log").open("wb") as log:
        up = subprocess.Popen(
            [sys.executable, "-P", "-m", "service.cli", *arguments],
            env=role_environment({}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    try:
        assert up.stdout is not None
        line = up.stdout.readline()
        if not line.startswith(b"ready "):
            sys.exit(f"up: {(folder / 'up.log').read_text()[-2000:]}")
        (folder / "ready").touch()
        _wait_for_last_user(folder, up)
    finally:
        (folder / "ready").unlink(missing_ok=True)
        up.send_signal(signal.SIGINT)
        try:
            up.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            up.kill()
        shutil.rmtree(folder / "data", ignore_errors=True)


def _wait_for_last_user(folder: Path, up: subprocess.Popen[bytes]) -> None:
    """Returns with the lock on users held, so that nobody comes in while the instance stops."""
    users = os.open(folder / "users", os.O_RDWR)
    deadline = time.monotonic() + LONGEST_LIFE_S
    while time.monotonic() < deadline and up.poll() is None:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(POLL_S)
        else:
            return


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
