"""A file that is read again: new content counts, broken content does not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from service.auth.errors import CredentialFileError
from service.auth.reloading import ReloadingFile


def number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise CredentialFileError("not a number", "line 1") from None


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "value"
    path.write_text("1")
    return path


def test_new_content_counts_from_the_next_look(file: Path) -> None:
    watched = ReloadingFile(file, number)
    file.write_text("22")
    assert watched.value == 1
    watched.refresh()
    assert watched.value == 22


def test_a_swapped_symlink_is_new_content(tmp_path: Path, file: Path) -> None:
    """How a mounted Secret changes."""
    link = tmp_path / "link"
    link.symlink_to(file)
    watched = ReloadingFile(link, number)
    other = tmp_path / "other"
    other.write_text("3")
    swap = tmp_path / "swap"
    swap.symlink_to(other)
    swap.replace(link)
    watched.refresh()
    assert watched.value == 3


def test_broken_content_leaves_the_old_value_and_is_reported_once(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    watched = ReloadingFile(file, number)
    file.write_text("many")
    for _ in range(3):
        watched.refresh()
    assert watched.value == 1
    assert len([r for r in caplog.records if r.levelname == "ERROR"]) == 1
    file.write_text("44444")
    watched.refresh()
    assert watched.value == 44444


def test_a_file_that_vanishes_leaves_the_old_value(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    watched = ReloadingFile(file, number)
    file.unlink()
    watched.refresh()
    watched.refresh()
    assert watched.value == 1
    assert len([r for r in caplog.records if r.levelname == "ERROR"]) == 1
    file.write_text("5")
    watched.refresh()
    assert watched.value == 5


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"x", "line 1: not a number"), (b"\xff", "not UTF-8"), (None, "No such file or directory")],
)
def test_the_first_content_must_be_usable(tmp_path: Path, content: bytes | None, problem: str) -> None:
    path = tmp_path / "value"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CredentialFileError) as wrong:
        ReloadingFile(path, number)
    assert str(wrong.value) == f"{path}: {problem}"


async def test_following_sees_a_change_without_being_asked(file: Path) -> None:
    loop, seen = asyncio.get_running_loop(), asyncio.Event()

    def parse(text: str) -> str:
        if text == "666":
            loop.call_soon_threadsafe(seen.set)
        return text

    watched = ReloadingFile(file, parse, poll_interval_s=0.005)
    task = asyncio.create_task(watched.follow(), name="follow")
    await asyncio.to_thread(file.write_text, "666")
    await seen.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
