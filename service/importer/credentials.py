"""The credentials in pull secrets, and which of them a registry is shown.

Keeps: a credential goes only to a registry that its key names: same port, same number of host labels, a path that
begins with the key's; the longest key that fits is taken. What a secret holds besides is not looked at, and a secret
that cannot be read is as good as none: one bad secret must not end every import of a namespace.
Source: spec: image-api 9.2.6. Elsewhere: secrets at rest (`secretstore/`), tokens made of credentials (`login.py`).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from fnmatch import fnmatchcase

import msgspec

from service.api.core_v1 import Secret
from service.api.pull_specs import DOCKER_HUB_HOSTS, PullSpec
from service.domain.secret import DOCKER_CONFIG_KEYS

_HUB_KEY = "index.docker.io"
_API_PATHS = ("/v1", "/v2")


class Credentials(msgspec.Struct, frozen=True):
    username: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials({self.username!r})"

    @property
    def basic(self) -> str:
        """The value of an Authorization header."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


class _Entry(msgspec.Struct):
    auth: str = ""
    username: str = ""
    password: str = ""


class _DockerConfigJson(msgspec.Struct):
    auths: dict[str, _Entry] = {}


class _Key(msgspec.Struct, frozen=True, order=True):
    text: str
    labels: tuple[str, ...]
    port: str
    path: str

    def fits(self, labels: tuple[str, ...], port: str, path: str) -> bool:
        return (
            self.port == port
            and len(self.labels) == len(labels)
            and all(fnmatchcase(label, pattern) for label, pattern in zip(labels, self.labels, strict=True))
            and path.startswith(self.path)
        )


class CredentialRing:
    """The credentials of a namespace; empty without secrets."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        found: dict[_Key, Credentials] = {}
        for secret in secrets:
            for server, credentials in _entries(secret):
                found.setdefault(_key(server), credentials)
        self._entries = sorted(found.items(), reverse=True, key=lambda entry: entry[0])

    def find(self, spec: PullSpec) -> Credentials | None:
        """What the registry of a pull spec with client defaults is shown."""
        host = _HUB_KEY if spec.registry in DOCKER_HUB_HOSTS else spec.registry
        path = "".join(f"/{part}" for part in (spec.namespace, spec.name) if part)
        labels, port = _address(host)
        return next((found for key, found in self._entries if key.fits(labels, port, path)), None)


def _entries(secret: Secret) -> Iterable[tuple[str, Credentials]]:
    """(server as it is written, credentials) of each entry that is whole."""
    field = DOCKER_CONFIG_KEYS.get(secret.type, "")
    try:
        text = base64.b64decode(secret.data.get(field, ""), validate=True)
        if field == ".dockercfg":
            entries = msgspec.json.decode(text, type=dict[str, _Entry])
        else:
            entries = msgspec.json.decode(text, type=_DockerConfigJson).auths
    except (binascii.Error, msgspec.MsgspecError, ValueError):
        return
    for server, entry in entries.items():
        credentials = _credentials(entry)
        if credentials is not None:
            yield server, credentials


def _credentials(entry: _Entry) -> Credentials | None:
    if not entry.auth:
        return Credentials(entry.username, entry.password) if entry.username else None
    try:
        username, colon, password = base64.b64decode(entry.auth).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return Credentials(username, password) if colon else None


def _key(server: str) -> _Key:
    """Keys are hosts or URLs, of an API or of a repository."""
    text = server.removeprefix("https://").removeprefix("http://")
    host, slash, rest = text.partition("/")
    path = slash + rest.rstrip("/")
    for api in _API_PATHS:
        if path == api or path.startswith(f"{api}/"):
            path = path.removeprefix(api)
    path = path.rstrip("/")
    if host in DOCKER_HUB_HOSTS:
        host = _HUB_KEY
    labels, port = _address(host)
    return _Key(host + path, labels, port, path)


def _address(host: str) -> tuple[tuple[str, ...], str]:
    name, _, port = host.partition(":")
    return tuple(name.split(".")), port
