"""Sealing and opening: what was tampered with, moved or sealed by somebody else stays shut; keys can change."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.runtime.user_error import UserError
from service.secretstore.keyring import (
    KEY_BYTES,
    KEYS_LIMIT,
    CannotOpen,
    Keyring,
    Sealed,
    ensure_key_file,
    read_keyring,
)

OLD, NEW = bytes(range(KEY_BYTES)), bytes(range(100, 100 + KEY_BYTES))
RING = Keyring([OLD])


def line_of(key: bytes) -> str:
    return base64.b64encode(key).decode()


@given(st.binary(max_size=200), st.binary(max_size=50))
def test_what_is_sealed_opens_and_shows_nothing(content: bytes, purpose: bytes) -> None:
    sealed = RING.seal(content, purpose)
    assert RING.open(sealed, purpose) == content
    assert len(content) < 8 or content not in sealed.content
    assert RING.seal(content, purpose).content != sealed.content, "a nonce is used once"


@given(st.data())
def test_a_changed_bit_is_noticed(data: st.DataObject) -> None:
    sealed = RING.seal(b"password", b"a")
    bit = data.draw(st.integers(0, len(sealed.content) * 8 - 1))
    changed = bytearray(sealed.content)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(CannotOpen, match="damaged"):
        RING.open(Sealed(sealed.key_id, bytes(changed)), b"a")


@pytest.mark.parametrize("length", [0, 11, 12, 27])
def test_what_is_too_short_is_damaged(length: int) -> None:
    with pytest.raises(CannotOpen, match="damaged"):
        RING.open(Sealed(RING.first_id, b"\0" * length), b"a")


def test_what_was_sealed_for_one_opens_for_no_other() -> None:
    with pytest.raises(CannotOpen, match="another object"):
        RING.open(RING.seal(b"password", b"team/a"), b"team/b")


def test_a_key_that_is_not_there_is_named() -> None:
    sealed = Keyring([NEW]).seal(b"password", b"a")
    with pytest.raises(CannotOpen, match=f"the key {sealed.key_id} is not in the key file"):
        RING.open(sealed, b"a")
    # Another key under the right id is no better.
    with pytest.raises(CannotOpen, match="damaged"):
        RING.open(Sealed(RING.first_id, sealed.content), b"a")


def test_the_first_key_seals_and_all_open() -> None:
    by_old = RING.seal(b"password", b"a")
    both = Keyring([NEW, OLD])
    assert both.open(by_old, b"a") == b"password"
    by_new = both.seal(b"password", b"a")
    assert (by_new.key_id, by_old.key_id) == (Keyring([NEW]).first_id, RING.first_id)
    assert Keyring([NEW]).open(by_new, b"a") == b"password"


def test_keys_are_in_no_repr_and_not_in_their_id() -> None:
    assert repr(OLD) not in repr(RING)
    assert RING.first_id not in OLD.hex()


def test_a_file_of_keys(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# since spring\n{line_of(NEW)}\n\n  {line_of(OLD)}  \n")
    ring = read_keyring(file)
    assert ring.first_id == Keyring([NEW]).first_id
    assert ring.open(RING.seal(b"password", b"a"), b"a") == b"password"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "holds 0 keys"),
        ("# nothing\n", "holds 0 keys"),
        ("c2hvcnQ=\n", "line 1 .* is not 32 bytes in base64"),
        (f"{line_of(OLD)}\nnot base64!\n", "line 2 .* is not 32 bytes in base64"),
        (f"{line_of(OLD)}\n" * (KEYS_LIMIT + 1), "holds 17 keys"),
    ],
)
def test_a_file_of_something_else(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "keys"
    file.write_text(text)
    with pytest.raises(UserError, match=complaint) as refused:
        read_keyring(file)
    assert line_of(OLD) not in str(refused.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read the key file"):
        read_keyring(tmp_path / "keys")


def test_a_new_file_is_private_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    ensure_key_file(file)
    made = file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600
    ensure_key_file(file)
    assert file.read_bytes() == made
    read_keyring(file)


def test_a_keyring_refuses_what_is_no_key() -> None:
    for keys in ([], [b"short"]):
        with pytest.raises(ValueError, match="key"):
            Keyring(keys)
