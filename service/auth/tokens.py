"""The token file: one bearer token per line with the user it stands for, as kube-apiserver's `--token-auth-file`.

    token,user,uid,"group1,group2"

Keeps: tokens are held and looked up by a keyed hash only, so neither the time of a lookup nor a memory dump of the
table gives one away. A token named twice counts as its last line. Elsewhere: the header it arrives in
(`authentication.py`), and reading the file again (`reloading.py`).
"""

from __future__ import annotations

import csv
import hashlib
import io
import secrets

from service.auth.errors import CredentialFileError
from service.auth.users import User
from service.runtime.logs import get_logger

COLUMNS = "token, user name, user uid"

log = get_logger("auth")


class TokenTable:
    def __init__(self, users: dict[str, User]) -> None:
        self._key = secrets.token_bytes(32)
        self._users = {self._digest(token): user for token, user in users.items()}

    def user(self, token: str) -> User | None:
        return self._users.get(self._digest(token))

    def _digest(self, token: str) -> bytes:
        return hashlib.blake2b(token.encode(errors="surrogatepass"), key=self._key, digest_size=32).digest()


def parse_token_file(text: str) -> TokenTable:
    """Raises CredentialFileError naming the line."""
    users: dict[str, User] = {}
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        for record in reader:
            if record:
                _add(users, record, reader.line_num)
    except csv.Error as wrong:
        raise CredentialFileError(str(wrong), f"line {reader.line_num}") from None
    return TokenTable(users)


def _add(users: dict[str, User], record: list[str], line: int) -> None:
    if len(record) < 3:
        raise CredentialFileError(f"needs at least 3 columns ({COLUMNS}), has {len(record)}", f"line {line}")
    token, name, uid, *rest = record
    if not name:
        raise CredentialFileError("the user name is empty", f"line {line}")
    if not token:
        log.warning("token file has an empty token, line ignored", line=line)
        return
    if token in users:
        log.warning("token file names a token twice, the later line counts", line=line)
    groups = tuple(group for group in rest[0].split(",") if group) if rest else ()
    users[token] = User(name, uid, groups)
