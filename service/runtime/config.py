"""The settings of the roles, as typed values that were checked once.

`service/cli/options.py` makes them from flags and environment variables; the rooms take from them what they need.
Invariant: a value of one of these types is complete and consistent; whoever holds one checks nothing again.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from pathlib import Path

import msgspec

from service.runtime.user_error import SettingsError

WILDCARD_HOSTS = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Addresses that mean "every interface", and where a client on this machine finds them."""


class ListenAddress(msgspec.Struct, frozen=True):
    """Where to listen, written HOST:PORT; an IPv6 host stands in brackets. Port 0 means any free one."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> ListenAddress:
        """Raises SettingsError for anything but HOST:PORT."""
        host, colon, port = text.rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        if not colon or not host or (":" in host and not bracketed):
            raise SettingsError(f"{text!r} is not HOST:PORT")
        if not (port.isascii() and port.isdigit() and int(port) <= 65535):
            raise SettingsError(f"{text!r} has no port between 0 and 65535")
        return cls(host[1:-1] if bracketed else host, int(port))

    def __str__(self) -> str:
        return f"{_in_url(self.host)}:{self.port}"

    def local_url(self, scheme: str) -> str:
        """A URL under which a client on this machine reaches the address."""
        return f"{scheme}://{_in_url(WILDCARD_HOSTS.get(self.host, self.host))}:{self.port}"


class EngineSettings(msgspec.Struct, frozen=True):
    """How to reach PostgreSQL and NATS. Both may hold secrets: never log them, never pass them on a command line."""

    postgres_dsn: str
    nats_url: str
    """One URL or several, separated by commas. A token or user:password may stand before the host."""
    nats_credentials_file: Path | None = None
    jetstream_replicas: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.jetstream_replicas <= 5:
            raise SettingsError("--jetstream-replicas is between 1 and 5")


class TlsSettings(msgspec.Struct, frozen=True):
    cert_file: Path
    private_key_file: Path


class ApiSettings(msgspec.Struct, frozen=True):
    """Who may do what, how secrets are kept, and what the registry is called: the same for `up` and for `serve`."""

    token_auth_file: Path | None = None
    rbac_file: Path | None = None
    secrets_key_file: Path | None = None
    anonymous_auth: bool = False
    internal_registry_hostname: str | None = None
    external_registry_hostname: str | None = None
    image_policy_file: Path | None = None


class ServeSettings(msgspec.Struct, frozen=True):
    """One API process. It opens its addresses itself, or is handed sockets that already listen."""

    engines: EngineSettings
    api: ApiSettings
    tls: TlsSettings | None = None
    listen: ListenAddress | None = None
    listen_fd: int | None = None
    insecure_listen: ListenAddress | None = None
    insecure_listen_fd: int | None = None
    ready_fd: int | None = None

    def __post_init__(self) -> None:
        secure = _at_most_one("--listen", self.listen, self.listen_fd)
        insecure = _at_most_one("--insecure-listen", self.insecure_listen, self.insecure_listen_fd)
        if not secure and not insecure:
            raise SettingsError("nothing to serve on: give --listen or --insecure-listen")
        if secure and self.tls is None:
            raise SettingsError("--listen needs --tls-cert-file and --tls-private-key-file")


class ProjectSettings(msgspec.Struct, frozen=True):
    """One process that projects and relays."""

    engines: EngineSettings
    metrics_listen: ListenAddress | None = None
    ready_fd: int | None = None


class UpSettings(msgspec.Struct, frozen=True):
    """Everything on one machine. An engine that is given is used; one that is not is started in the data folder."""

    data_dir: Path
    listen: ListenAddress
    insecure_listen: ListenAddress | None
    workers: int
    tls: TlsSettings | None
    api: ApiSettings
    postgres_dsn: str | None
    nats_url: str | None
    nats_credentials_file: Path | None
    jetstream_replicas: int

    def __post_init__(self) -> None:
        if not 1 <= self.workers <= 256:
            raise SettingsError("--workers is between 1 and 256")


def _at_most_one(flag: str, address: ListenAddress | None, descriptor: int | None) -> bool:
    if address is not None and descriptor is not None:
        raise SettingsError(f"{flag} and {flag}-fd exclude each other")
    return address is not None or descriptor is not None


def _in_url(host: str) -> str:
    try:
        return f"[{host}]" if isinstance(ip_address(host), IPv6Address) else host
    except ValueError:
        return host
