"""Become another program: one that dies with its parent and, when asked, is not root.

Run as a script in front of the program, by `processes.py`:
    python -I -S launcher.py PARENT_PID DEATH_SIGNAL IDENTITY PROGRAM [ARGUMENT...]
It keeps its process id and its open descriptors, so the parent owns the program itself. This happens here, and not in
a `preexec_fn`, because Python code between fork and exec may deadlock in a process that has threads.

Imports the standard library only and stays small: it runs before every engine and every role.
Which IDENTITY to use is decided in `identity.py`.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
SECBIT_NO_SETUID_FIXUP = 1 << 2
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522
CLONE_NEWUSER = 0x10000000


class CapabilityHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class CapabilitySets(ctypes.Structure):
    _fields_ = [
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    ]


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _become_user(libc: ctypes.CDLL, uid: int, gid: int, *, reach_everything: bool) -> None:
    """Drop root for good. `reach_everything` keeps the one right to walk through folders closed to that user."""
    if reach_everything:
        # Capabilities then stay as we set them below, and count in access(2), with which initdb looks for postgres.
        _checked(libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0))
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if reach_everything:
        bit = 1 << CAP_DAC_OVERRIDE
        header = CapabilityHeader(CAPABILITY_VERSION_3, 0)
        sets = (CapabilitySets * 2)(CapabilitySets(bit, bit, bit), CapabilitySets(0, 0, 0))
        _checked(libc.capset(ctypes.byref(header), sets))
        _checked(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0))


def _become_user_in_namespace(libc: ctypes.CDLL, uid: int, gid: int) -> None:
    """Be `uid` inside a namespace of one user, where files of the outer user are the inner one's own."""
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    _checked(libc.unshare(CLONE_NEWUSER))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {outer_uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {outer_gid} 1")


def _take_identity(libc: ctypes.CDLL, identity: str) -> None:
    kind, *numbers = identity.split(":")
    match kind, [int(number) for number in numbers]:
        case "same", []:
            pass
        case "user", [uid, gid]:
            _become_user(libc, uid, gid, reach_everything=False)
        case "user-reaching-everything", [uid, gid]:
            _become_user(libc, uid, gid, reach_everything=True)
        case "namespace", [uid, gid]:
            _become_user_in_namespace(libc, uid, gid)
        case _:
            raise ValueError(f"unknown identity {identity!r}")


def main(arguments: list[str]) -> None:
    parent_pid, death_signal, identity, *program = arguments
    libc = ctypes.CDLL(None, use_errno=True)
    _take_identity(libc, identity)
    if sys.platform == "linux":
        # After the change of user, which would clear it. The parent may have died before this line: look once more.
        _checked(libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0))
        if os.getppid() != int(parent_pid):
            sys.exit(1)
    os.execv(program[0], program)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as error:
        sys.exit(f"cannot start {sys.argv[4]}: {error}")
