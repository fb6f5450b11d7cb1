"""The data folder of an `up`: where everything of one instance lives, and the lock that keeps a second one out.

    lock              held while an instance runs; holds its process id
    postgres/         the database cluster            postgres.password  of its only user
    jetstream/        the messages of NATS            nats/              its settings and process id
    run/              the socket of PostgreSQL        logs/              what the engines write
    pki/              CA and serving certificate      tokens.csv  rbac.yaml  kubeconfig
    secrets.key       keys that secrets are encrypted with

The lock is the kernel's (flock), so it is gone with its holder, however that died.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from service.runtime.user_error import UserError

LOCK_FILE_LIMIT_BYTES = 32


class DataDir(msgspec.Struct, frozen=True):
    path: Path
    """Absolute."""

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def nats(self) -> Path:
        return self.path / "nats"

    @property
    def pki(self) -> Path:
        return self.path / "pki"

    @property
    def tokens(self) -> Path:
        return self.path / "tokens.csv"

    @property
    def rbac(self) -> Path:
        return self.path / "rbac.yaml"

    @property
    def secrets_key(self) -> Path:
        return self.path / "secrets.key"

    @property
    def kubeconfig(self) -> Path:
        return self.path / "kubeconfig"


@contextmanager
def hold_data_dir(path: Path) -> Iterator[DataDir]:
    """Make the folder if need be, and hold its lock.

    Raises UserError when it cannot be written, or another instance holds it.
    """
    path = path.absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise UserError(f"cannot use the data folder {path}: {error.strerror}") from error
    try:
        _lock(descriptor, path)
        yield DataDir(path)
    finally:
        os.close(descriptor)


def write_private_file(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all, even through a power loss."""
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, 0o600)
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    temporary.replace(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make renames in this folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, LOCK_FILE_LIMIT_BYTES).decode(errors="replace").strip()
        raise UserError(f"the data folder {path} is in use by a running instance (process {holder})") from None
    os.truncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
