"""A file that is read again when it changes, for credentials that are rotated under a running process.

Keeps: `value` is always the last content that was understood: a file that breaks or vanishes leaves the old value in
place and is reported once, not once per look. A change shows within `poll_interval_s` of being written.
Polling, because a mounted Secret changes by a swapped symlink that file notifications miss.
Elsewhere: what the content means (`tokens.py`, `rbac_file.py`), and who runs `follow` (`app.py`).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from service.auth.errors import CredentialFileError
from service.runtime.logs import get_logger

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

POLL_INTERVAL_S = 1.0
FILE_LIMIT_BYTES = 16 * 1024 * 1024

log = get_logger("auth")


class Current(Protocol[T_co]):
    """Something whose value may be another one the next time it is read."""

    @property
    def value(self) -> T_co: ...


class Fixed(Generic[T]):
    """A value that never changes, where no file was given."""

    def __init__(self, value: T) -> None:
        self.value = value


_Signature = tuple[int, int, int]
"""inode, time of change in ns, size: equal ones mean the same content"""


class ReloadingFile(Generic[T]):
    """Raises CredentialFileError where the first content cannot be read or understood."""

    def __init__(self, path: Path, parse: Callable[[str], T], poll_interval_s: float = POLL_INTERVAL_S) -> None:
        self.path = path
        self.poll_interval_s = poll_interval_s
        self._parse = parse
        self._complaint = ""
        self._seen, text = _read(path)
        self.value = self._understood(text)

    def refresh(self) -> None:
        """Look at the file once. Blocking: a few system calls when nothing changed."""
        try:
            seen = _signature(self.path.stat())
            if seen == self._seen:
                return
            self._seen, text = _read(self.path)
            self.value = self._understood(text)
        except OSError as gone:
            self._complain(f"{self.path}: {gone.strerror}")
        except CredentialFileError as broken:
            self._complain(str(broken))
        else:
            self._complaint = ""
            log.info("read again", file=str(self.path))

    async def follow(self) -> None:
        """Look again and again until cancelled."""
        while True:
            await asyncio.sleep(self.poll_interval_s)
            await asyncio.to_thread(self.refresh)

    def _understood(self, text: str) -> T:
        try:
            return self._parse(text)
        except CredentialFileError as wrong:
            raise CredentialFileError(str(wrong), str(self.path)) from None

    def _complain(self, problem: str) -> None:
        if problem != self._complaint:
            self._complaint = problem
            log.error("file not usable, keeping what it said before", problem=problem)


def _signature(stat: os.stat_result) -> _Signature:
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


def _read(path: Path) -> tuple[_Signature, str]:
    """The content with the signature of the very file it was read from."""
    try:
        with path.open("rb") as file:
            signature = _signature(os.fstat(file.fileno()))
            content = file.read(FILE_LIMIT_BYTES + 1)
    except OSError as wrong:
        raise CredentialFileError(wrong.strerror or str(wrong), str(path)) from wrong
    if len(content) > FILE_LIMIT_BYTES:
        raise CredentialFileError(f"larger than {FILE_LIMIT_BYTES} bytes", str(path))
    try:
        return signature, content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CredentialFileError("not UTF-8", str(path)) from None
