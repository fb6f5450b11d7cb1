"""The keys that secrets are sealed with, from a file, and AES-256-GCM with them.

A line of the file is a key: 32 random bytes as base64. The first seals, all of them open; empty lines and lines that
begin with # do not count. A key is told from others by an id made from it, which is stored with what it sealed.
Keeps: what was sealed for one purpose opens for no other (associated data); a nonce is random and used once. Keys are
in no message and in no repr. Elsewhere: how to change keys (docs/howto/rotate-the-secrets-key.md).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.runtime.data_dir import write_private_file
from service.runtime.user_error import UserError

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
KEYS_LIMIT: Final = 16
_ID_BYTES: Final = 8
_ID_LABEL: Final = b"tag-history secrets key id"


class CannotOpen(Exception):
    """What was sealed does not open; the message says why, and nothing of the content."""


class Sealed(NamedTuple):
    key_id: str
    content: bytes
    """Nonce, ciphertext and tag."""


class Keyring:
    def __init__(self, keys: Sequence[bytes]) -> None:
        """Raises ValueError for no key, or one of another length."""
        if not keys:
            raise ValueError("a keyring needs a key")
        if any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"a key has {KEY_BYTES} bytes")
        self._ciphers = {_id_of(key): AESGCM(key) for key in keys}
        self.first_id = _id_of(keys[0])
        """Of the key that seals."""

    def seal(self, content: bytes, purpose: bytes) -> Sealed:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return Sealed(self.first_id, nonce + self._ciphers[self.first_id].encrypt(nonce, content, purpose))

    def open(self, sealed: Sealed, purpose: bytes) -> bytes:
        """Raises CannotOpen unless it was sealed by a key of the ring, for this purpose, and is as it was."""
        cipher = self._ciphers.get(sealed.key_id)
        if cipher is None:
            raise CannotOpen(f"the key {sealed.key_id} is not in the key file")
        nonce, rest = sealed.content[:NONCE_BYTES], sealed.content[NONCE_BYTES:]
        try:
            return cipher.decrypt(nonce, rest, purpose)
        except (InvalidTag, ValueError):
            # A damaged row may be too short to hold a nonce and a tag.
            raise CannotOpen("it is damaged, or was stored for another object") from None


def read_keyring(path: Path) -> Keyring:
    """Raises UserError for a file that cannot be read, or holds anything but keys."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read the key file {path}: {type(error).__name__}") from error
    keys = [
        _key(line.strip(), path, number)
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not 1 <= len(keys) <= KEYS_LIMIT:
        raise UserError(f"the key file {path} holds {len(keys)} keys: between 1 and {KEYS_LIMIT} are needed")
    return Keyring(keys)


def ensure_key_file(path: Path) -> None:
    """A file with one new key that only its owner can read, unless there is one."""
    if not path.exists():
        write_private_file(path, base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")


def _key(line: str, path: Path, number: int) -> bytes:
    try:
        key = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise UserError(f"line {number} of the key file {path} is not {KEY_BYTES} bytes in base64") from None
    return key


def _id_of(key: bytes) -> str:
    return hashlib.blake2b(_ID_LABEL, key=key, digest_size=_ID_BYTES).hexdigest()
