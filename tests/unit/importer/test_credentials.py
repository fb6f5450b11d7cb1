"""A registry is shown the credentials whose key names it, and never another's."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.api.core_v1 import Secret
from service.api.pull_specs import parse_pull_spec
from service.importer.credentials import CredentialRing


def secret(entries: object, *, key: str = ".dockerconfigjson") -> Secret:
    document = {"auths": entries} if key == ".dockerconfigjson" else entries
    data = base64.b64encode(json.dumps(document).encode()).decode()
    return Secret(type=f"kubernetes.io/{key.removeprefix('.')}", data={key: data})


def login(user: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:p".encode()).decode()}


def user_for(name: str, *secrets: Secret) -> str:
    found = CredentialRing(secrets).find(parse_pull_spec(name).with_client_defaults())
    return found.username if found else ""


@pytest.mark.parametrize(
    ("server", "name", "fits"),
    [
        ("quay.io", "quay.io/a/b:1", True),
        ("https://quay.io", "quay.io/a/b", True),
        ("https://quay.io/v2/", "quay.io/a/b", True),
        ("quay.io/a", "quay.io/a/b", True),
        ("quay.io/c", "quay.io/a/b", False),
        ("quay.io:443", "quay.io/a/b", False),
        ("r.example:5000", "r.example:5000/a", True),
        ("r.example:5000", "r.example:5001/a", False),
        ("*.example.com", "r.example.com/a", True),
        ("*.example.com", "a.r.example.com/a", False),
        ("*.example.com", "example.com/a", False),
        ("https://index.docker.io/v1/", "busybox", True),
        ("docker.io", "docker.io/library/busybox", True),
        ("https://index.docker.io/v1/", "quay.io/library/busybox", False),
    ],
)
def test_which_key_names_which_registry(server: str, name: str, fits: bool) -> None:
    assert user_for(name, secret({server: login("u")})) == ("u" if fits else "")


def test_the_more_specific_key_wins_and_of_equal_ones_the_first() -> None:
    entries = {"quay.io": login("all"), "quay.io/a": login("a"), "quay.io/a/b": login("ab")}
    assert user_for("quay.io/a/b", secret(entries)) == "ab"
    assert user_for("quay.io/a/c", secret(entries)) == "a"
    assert user_for("quay.io/x/c", secret(entries)) == "all"
    assert user_for("quay.io/x", secret({"quay.io": login("one")}), secret({"quay.io": login("two")})) == "one"


def test_both_formats_and_both_ways_to_write_an_entry() -> None:
    assert user_for("r.example/a", secret({"r.example": login("old")}, key=".dockercfg")) == "old"
    assert user_for("r.example/a", secret({"r.example": {"username": "plain", "password": "p"}})) == "plain"


@given(st.one_of(st.text(), st.binary().map(lambda b: base64.b64encode(b).decode())))
def test_a_secret_that_cannot_be_read_is_none(data: str) -> None:
    broken = Secret(type="kubernetes.io/dockerconfigjson", data={".dockerconfigjson": data})
    assert user_for("r.example/a", broken, secret({"r.example": login("u")})) == "u"


def test_a_password_is_in_no_text() -> None:
    found = CredentialRing([secret({"r.example": {"username": "u", "password": "hunter2"}})])
    assert "hunter2" not in repr(found.find(parse_pull_spec("r.example/a")))
