"""The two files a server is told of, as values that follow them: who there is, and what they may do.

Keeps: without a token file nobody has a token, without an RBAC file the built-in roles stand alone.
Elsewhere: the formats (`tokens.py`, `rbac_file.py`), the reading again (`reloading.py`; its `follow` runs as a task).
"""

from __future__ import annotations

from pathlib import Path

from service.auth.builtin_roles import BUILTIN
from service.auth.rbac_file import parse_rbac_file
from service.auth.rbac_index import RbacIndex
from service.auth.reloading import Fixed, ReloadingFile
from service.auth.tokens import TokenTable, parse_token_file


def token_source(path: Path | None) -> Fixed[TokenTable] | ReloadingFile[TokenTable]:
    """Raises CredentialFileError."""
    return ReloadingFile(path, parse_token_file) if path else Fixed(TokenTable({}))


def policy_source(path: Path | None) -> Fixed[RbacIndex] | ReloadingFile[RbacIndex]:
    """Raises CredentialFileError."""
    return ReloadingFile(path, _compiled) if path else Fixed(RbacIndex(BUILTIN))


def _compiled(text: str) -> RbacIndex:
    return RbacIndex(BUILTIN.overridden_by(parse_rbac_file(text)))
