"""Programs we own: as whom they run, how they end, and that they end with us."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from service.runtime.identity import SAME, unprivileged_identity
from service.runtime.processes import OwnedProcess, SupervisedProcess, spawn
from service.runtime.roles import RoleProcess, role_environment
from service.runtime.user_error import UserError
from tests.engines import is_running, until_gone, wait_until

FOR_EVER = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {FOR_EVER}"


async def started(script: str, output: Path, identity: str = "same") -> OwnedProcess:
    with output.open("wb") as file:
        process = await spawn(
            [sys.executable, "-I", "-S", "-c", script],
            death_signal=signal.SIGKILL,
            output_fd=file.fileno(),
            identity=identity,
        )

    async def spoke() -> bool:
        return _has_content(output) or not process.alive

    await wait_until(spoke)
    return process


def _has_content(path: Path) -> bool:
    return path.stat().st_size > 0


async def test_the_process_we_own_is_the_program_itself(tmp_path: Path) -> None:
    script = "import os, sys; print(os.getpid(), os.getsid(0), sys.argv)"
    process = await started(script, tmp_path / "out")
    assert await process.exit_code(60) == 0
    assert (tmp_path / "out").read_text() == f"{process.pid} {process.pid} ['-c']\n"


async def test_it_ends_at_the_polite_signal(tmp_path: Path) -> None:
    process = await started(FOR_EVER, tmp_path / "out")
    assert await process.end([(signal.SIGTERM, 60)]) == -signal.SIGTERM


async def test_or_else_at_sigkill(tmp_path: Path) -> None:
    process = await started(STUBBORN, tmp_path / "out")
    assert await process.end([(signal.SIGTERM, 0.05)]) == -signal.SIGKILL


async def test_a_program_that_is_not_there_says_so(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as file:
        process = await spawn(["/no/such/program"], death_signal=signal.SIGKILL, output_fd=file.fileno())
    assert await process.exit_code(60) == 1
    assert (tmp_path / "out").read_text() == "cannot start /no/such/program: [Errno 2] No such file or directory\n"


async def test_it_dies_with_us_even_when_we_are_killed(tmp_path: Path) -> None:
    owner = (
        "import asyncio, signal, sys\n"
        "from service.runtime.processes import spawn\n"
        "async def main():\n"
        "    process = await spawn(['/bin/sleep', '600'], death_signal=signal.SIGKILL)\n"
        "    print(process.pid, flush=True)\n"
        "    await process.exit_code()\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", owner, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    owned = int(await process.stdout.readline())
    assert is_running(owned)
    process.kill()
    await process.communicate()
    await until_gone([owned])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must become somebody else")
async def test_root_becomes_another_user(tmp_path: Path) -> None:
    identity = await unprivileged_identity(tmp_path / "folder", Path("/bin/cat"))
    assert identity.owner is not None
    assert identity.owner[0] != 0
    with (tmp_path / "out").open("wb") as file:
        process = await spawn(
            ["/bin/cat", "/proc/self/status"],
            death_signal=signal.SIGKILL,
            identity=identity.argument,
            output_fd=file.fileno(),
        )
    assert await process.exit_code(60) == 0
    uid = identity.owner[0]
    assert f"Uid:\t{uid}\t{uid}\t{uid}\t{uid}\n" in (tmp_path / "out").read_text()


@pytest.mark.skipif(os.geteuid() == 0, reason="about everybody but root")
async def test_an_ordinary_user_stays_itself(tmp_path: Path) -> None:
    assert await unprivileged_identity(tmp_path, Path("/bin/cat")) == SAME


async def test_a_namespace_of_one_user_where_the_system_allows_it(tmp_path: Path) -> None:
    """Inside, we are somebody else; our own files are that somebody's."""
    script = "import os; print(os.geteuid(), os.stat('.').st_uid)"
    process = await started(script, tmp_path / "out", "namespace:7:7")
    if await process.exit_code(60) != 0:
        pytest.skip("this system has no user namespaces for us")
    assert (tmp_path / "out").read_text().split()[0] == "7"


class Sleeper(SupervisedProcess):
    """A program that is ready at once."""

    stop_steps = ((signal.SIGTERM, 60.0),)
    starts = 0

    async def _spawn(self) -> OwnedProcess:
        self.starts += 1
        return await spawn(["/bin/sleep", "600"], death_signal=signal.SIGKILL)

    async def _until_ready(self, process: OwnedProcess) -> None:
        if self.starts == 2:
            raise UserError("not this time")


async def test_supervision_starts_it_again_after_a_failed_attempt_too() -> None:
    sleeper = Sleeper("sleeper")
    await sleeper.start()
    supervision = asyncio.create_task(sleeper.supervise())
    first = sleeper.pid
    await sleeper.kill()

    async def third_one_runs() -> bool:
        return sleeper.running and sleeper.starts == 3

    await wait_until(third_one_runs)
    assert sleeper.pid != first
    await sleeper.restart()
    assert sleeper.starts == 4
    await sleeper.stop()
    await supervision
    assert not sleeper.running


async def test_a_role_that_ends_before_it_is_ready() -> None:
    role = RoleProcess("test", ["no-such-command"], {})
    with pytest.raises(UserError, match=r"test ended before it was ready \(exit code 2\)"):
        await role.start()
    assert not role.running


def test_a_role_sees_no_setting_but_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAG_HISTORY_LISTEN", "127.0.0.1:1")
    monkeypatch.setenv("HOME", "/home/me")
    environment = role_environment({"TAG_HISTORY_NATS_URL": "nats://"})
    assert "TAG_HISTORY_LISTEN" not in environment
    assert environment["TAG_HISTORY_NATS_URL"] == "nats://"
    assert environment["HOME"] == "/home/me"
