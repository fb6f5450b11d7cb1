"""The users of an embedded instance: their tokens, what they may do, and a kubeconfig that has both.

Files that are there are kept: an operator may have edited them. The kubeconfig alone is written at every start, because
the address may have changed. Formats are Kubernetes' own (static token file, RBAC manifests, kubeconfig v1); who reads
the first two at run time is in the auth room.
"""

from __future__ import annotations

import base64
import csv
import secrets
from pathlib import Path

import msgspec
import yaml

from service.runtime.data_dir import write_private_file
from service.runtime.user_error import UserError

ADMIN = "admin"
VIEWER = "viewer"
ADMIN_GROUP = "system:masters"
VIEWER_GROUP = "viewers"
CLUSTER = "tag-history"
TOKEN_BYTES = 24

DEFAULT_RBAC = f"""\
# Who may do what, as rbac.authorization.k8s.io/v1 objects. Read again whenever it changes.
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: viewers-view-everything
subjects:
- apiGroup: rbac.authorization.k8s.io
  kind: Group
  name: {VIEWER_GROUP}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: view
"""


class TokenUser(msgspec.Struct, frozen=True):
    token: str
    name: str
    groups: tuple[str, ...]


def ensure_token_file(path: Path) -> None:
    """Lines of `token,user,uid,"group,…"`: one for the administrator, one for the viewer."""
    if path.exists():
        return
    users = ((ADMIN, ADMIN_GROUP), (VIEWER, VIEWER_GROUP))
    lines = [f'{secrets.token_hex(TOKEN_BYTES)},{name},{name},"{group}"\n' for name, group in users]
    write_private_file(path, "".join(lines).encode())


def ensure_rbac_file(path: Path) -> None:
    if not path.exists():
        write_private_file(path, DEFAULT_RBAC.encode())


def write_kubeconfig(path: Path, server_url: str, authority_pem: bytes, token_file: Path) -> None:
    """Contexts `admin` (the current one) and `viewer`, as far as the token file has such users.

    The administrator is the user of that name, or else the first in `system:masters`. Raises UserError when the token
    file cannot be read.
    """
    users = _read_token_file(token_file)
    contexts = {ADMIN: _named(users, ADMIN) or _administrator(users), VIEWER: _named(users, VIEWER)}
    present = {name: user for name, user in contexts.items() if user is not None}
    authority = base64.b64encode(authority_pem).decode()
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": CLUSTER, "cluster": {"server": server_url, "certificate-authority-data": authority}}],
        "users": [{"name": name, "user": {"token": user.token}} for name, user in present.items()],
        "contexts": [{"name": name, "context": {"cluster": CLUSTER, "user": name}} for name in present],
        "current-context": next(iter(present), ""),
    }
    write_private_file(path, yaml.safe_dump(document, sort_keys=False).encode())


def _read_token_file(path: Path) -> list[TokenUser]:
    try:
        rows = list(csv.reader(path.read_text().splitlines(), skipinitialspace=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"cannot read the token file {path}: {error}") from error
    return [TokenUser(row[0], row[1], tuple(",".join(row[3:]).split(","))) for row in rows if len(row) >= 3]


def _named(users: list[TokenUser], name: str) -> TokenUser | None:
    return next((user for user in users if user.name == name), None)


def _administrator(users: list[TokenUser]) -> TokenUser | None:
    return next((user for user in users if ADMIN_GROUP in user.groups), None)
