"""As whom a program runs. PostgreSQL refuses to be root, so root must find somebody else for it.

Three ways, tried in this order until one works on this machine:
  1. another user, when it can reach the program and the folder (not the case for a checkout under /root);
  2. another user that keeps the one capability to walk through closed folders (works in an ordinary container, too);
  3. a user namespace in which root's own files belong to that user (where changing the user is forbidden).
Everything stays in the data folder in all three. An ordinary user stays itself, but one without a name (as containers
have it) tries the third way first: initdb wants to know what it is called.
"""

from __future__ import annotations

import os
import pwd
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from service.runtime.processes import spawn
from service.runtime.user_error import UserError

PREFERRED_USERS = ("postgres", "nobody")
PROBE_TIMEOUT_S = 20.0


class Identity(msgspec.Struct, frozen=True):
    """A way to run a program, as `launcher.py` spells it, and who must own its files (None: whoever we are)."""

    argument: str
    owner: tuple[int, int] | None = None


SAME = Identity("same")


async def unprivileged_identity(folder: Path, program: Path) -> Identity:
    """How to run `program` on `folder` without being root.

    Raises UserError when this machine allows none of the ways.
    """
    for candidate in _candidates(folder, program):
        if candidate == SAME or await _works(candidate, program):
            return candidate
    raise UserError("PostgreSQL does not run as root, and this machine does not let root become another user")


def give(folder: Path, owner: tuple[int, int]) -> None:
    """Make `owner` the owner of the folder and of all in it, unless that is so already."""
    if (folder.lstat().st_uid, folder.lstat().st_gid) == owner:
        return
    for path in folder.rglob("*"):
        os.chown(path, *owner, follow_symlinks=False)
    # The folder last: an interrupted change is then seen, and done again, next time.
    os.chown(folder, *owner)


def _candidates(folder: Path, program: Path) -> Iterator[Identity]:
    if os.geteuid() != 0:
        if not _has_name(os.geteuid()):
            yield _in_namespace(*_named_user())
        yield SAME
        return
    uid, gid = _user_for(folder)
    if _can_reach(uid, gid, folder.parent) and _can_reach(uid, gid, program):
        yield Identity(f"user:{uid}:{gid}", (uid, gid))
    yield Identity(f"user-reaching-everything:{uid}:{gid}", (uid, gid))
    yield _in_namespace(*_named_user())


def _in_namespace(uid: int, gid: int) -> Identity:
    return Identity(f"namespace:{uid}:{gid}", (os.geteuid(), os.getegid()))


def _user_for(folder: Path) -> tuple[int, int]:
    """The folder's owner if that is an ordinary user with a name."""
    if folder.exists() and folder.stat().st_uid != 0 and _has_name(folder.stat().st_uid):
        return folder.stat().st_uid, folder.stat().st_gid
    return _named_user()


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _named_user() -> tuple[int, int]:
    """Somebody every system has."""
    entries = {entry.pw_name: entry for entry in pwd.getpwall() if entry.pw_uid != 0}
    for name in PREFERRED_USERS:
        if name in entries:
            return entries[name].pw_uid, entries[name].pw_gid
    raise UserError(f"PostgreSQL wants a user with a name, and this machine has none of {', '.join(PREFERRED_USERS)}")


def _can_reach(uid: int, gid: int, path: Path) -> bool:
    return all(_may_enter(uid, gid, step.stat()) for step in (path, *path.parents))


def _may_enter(uid: int, gid: int, status: os.stat_result) -> bool:
    if status.st_uid == uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


async def _works(identity: Identity, program: Path) -> bool:
    process = await spawn([str(program), "--version"], death_signal=signal.SIGKILL, identity=identity.argument)
    return await process.exit_code(PROBE_TIMEOUT_S) == 0
