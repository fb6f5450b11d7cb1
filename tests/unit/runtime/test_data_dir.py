"""One living instance per data folder, and files that are whole or not there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from service.runtime.data_dir import hold_data_dir, write_private_file
from service.runtime.user_error import UserError

HOLD = (
    "import pathlib, sys, time\n"
    "from service.runtime.data_dir import hold_data_dir\n"
    "with hold_data_dir(pathlib.Path(sys.argv[1])):\n"
    "    print('held', flush=True)\n"
    "    time.sleep(600)\n"
)


def test_a_second_instance_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    with hold_data_dir(tmp_path / "d") as first:
        assert first.path.stat().st_mode & 0o777 == 0o700
        with pytest.raises(UserError, match=f"in use by a running instance .process {os.getpid()}."):
            hold_data_dir(tmp_path / "d").__enter__()
    with hold_data_dir(tmp_path / "d"):
        pass


def test_a_killed_instance_holds_nothing(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(UserError, match=str(holder.pid)):
            hold_data_dir(tmp_path).__enter__()
        holder.send_signal(signal.SIGKILL)
    with hold_data_dir(tmp_path):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir(mode=0o500)
    with pytest.raises(UserError, match=r"cannot use the data folder .*: Permission denied"):
        hold_data_dir(tmp_path / "d").__enter__()


def test_a_private_file_replaces_the_old_one_and_leaves_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("old")
    (tmp_path / "f").chmod(0o644)
    write_private_file(tmp_path / "f", b"new")
    assert (tmp_path / "f").read_bytes() == b"new"
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [tmp_path / "f"]
