"""The files a server is told of, as values that follow them: who there is, what they may do, which images may come in.

Keeps: without a token file nobody has a token, without an RBAC file the built-in roles stand alone, without an image
policy file every image may come in.
Elsewhere: the formats (`tokens.py`, `rbac_file.py`, `image_policy_file.py`), the reading again (`reloading.py`; its
`follow` runs as a task).
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from service.auth.builtin_roles import BUILTIN
from service.auth.image_policy_file import parse_image_policy_file
from service.auth.rbac_file import parse_rbac_file
from service.auth.rbac_index import RbacIndex
from service.auth.reloading import Fixed, ReloadingFile
from service.auth.tokens import TokenTable, parse_token_file
from service.domain.image_policy import ImagePolicy


def token_source(path: Path | None) -> Fixed[TokenTable] | ReloadingFile[TokenTable]:
    """Raises CredentialFileError."""
    return ReloadingFile(path, parse_token_file) if path else Fixed(TokenTable({}))


def policy_source(path: Path | None) -> Fixed[RbacIndex] | ReloadingFile[RbacIndex]:
    """Raises CredentialFileError."""
    return ReloadingFile(path, _compiled) if path else Fixed(RbacIndex(BUILTIN))


def image_policy_source(
    path: Path | None, internal_registry_hostname: str | None
) -> Fixed[ImagePolicy] | ReloadingFile[ImagePolicy]:
    """Raises CredentialFileError."""
    if path is None:
        return Fixed(ImagePolicy())
    hostname = internal_registry_hostname or ""
    return ReloadingFile(path, partial(parse_image_policy_file, internal_registry_hostname=hostname))


def _compiled(text: str) -> RbacIndex:
    return RbacIndex(BUILTIN.overridden_by(parse_rbac_file(text)))
