"""The users of an embedded instance, in Kubernetes' own formats."""

from __future__ import annotations

import base64
import csv
from pathlib import Path

import pytest
import yaml

from service.runtime.credentials import ensure_rbac_file, ensure_token_file, write_kubeconfig
from service.runtime.user_error import UserError


def kubeconfig(folder: Path, tokens: Path) -> dict[str, object]:
    write_kubeconfig(folder / "kubeconfig", "https://127.0.0.1:1", b"PEM", tokens)
    document: dict[str, object] = yaml.safe_load((folder / "kubeconfig").read_text())
    return document


def test_an_administrator_and_a_viewer(tmp_path: Path) -> None:
    ensure_token_file(tmp_path / "tokens.csv")
    admin, viewer = csv.reader((tmp_path / "tokens.csv").read_text().splitlines())
    assert admin[1:] == ["admin", "admin", "system:masters"]
    assert viewer[1:] == ["viewer", "viewer", "viewers"]
    assert len({admin[0], viewer[0]}) == 2
    assert min(len(admin[0]), len(viewer[0])) >= 48
    assert (tmp_path / "tokens.csv").stat().st_mode & 0o777 == 0o600


def test_the_viewers_view(tmp_path: Path) -> None:
    ensure_rbac_file(tmp_path / "rbac.yaml")
    binding = yaml.safe_load((tmp_path / "rbac.yaml").read_text())
    assert binding["kind"] == "ClusterRoleBinding"
    assert binding["subjects"][0]["name"] == "viewers"
    assert binding["roleRef"]["name"] == "view"


def test_edited_files_are_kept(tmp_path: Path) -> None:
    for name, ensure in (("tokens.csv", ensure_token_file), ("rbac.yaml", ensure_rbac_file)):
        (tmp_path / name).write_text("edited")
        ensure(tmp_path / name)
        assert (tmp_path / name).read_text() == "edited"


def test_the_kubeconfig_has_a_context_for_each(tmp_path: Path) -> None:
    ensure_token_file(tmp_path / "tokens.csv")
    tokens = [row[0] for row in csv.reader((tmp_path / "tokens.csv").read_text().splitlines())]
    assert kubeconfig(tmp_path, tmp_path / "tokens.csv") == {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "tag-history",
                "cluster": {
                    "server": "https://127.0.0.1:1",
                    "certificate-authority-data": base64.b64encode(b"PEM").decode(),
                },
            }
        ],
        "users": [
            {"name": "admin", "user": {"token": tokens[0]}},
            {"name": "viewer", "user": {"token": tokens[1]}},
        ],
        "contexts": [
            {"name": "admin", "context": {"cluster": "tag-history", "user": "admin"}},
            {"name": "viewer", "context": {"cluster": "tag-history", "user": "viewer"}},
        ],
        "current-context": "admin",
    }
    assert (tmp_path / "kubeconfig").stat().st_mode & 0o777 == 0o600


def test_with_a_token_file_of_the_users_own_the_administrator_is_who_may_do_everything(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.csv"
    tokens.write_text('t1,dev,u-dev\nt2,root,u-root,"ops,system:masters"\n\nhalf,a\n')
    document = kubeconfig(tmp_path, tokens)
    assert document["users"] == [{"name": "admin", "user": {"token": "t2"}}]
    assert document["current-context"] == "admin"


def test_a_token_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "tokens.csv").write_bytes(b"\xff\xfe\xff")
    for name in ("tokens.csv", "missing"):
        with pytest.raises(UserError, match="cannot read the token file"):
            kubeconfig(tmp_path, tmp_path / name)
