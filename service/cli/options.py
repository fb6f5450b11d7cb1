"""The options that several commands share, and the settings made of them.

Every option has a twin in the environment: `--postgres-dsn` is TAG_HISTORY_POSTGRES_DSN. The flag wins over the
variable, the variable over the default. Names and meanings of the API's flags are Kubernetes' own.
Values are checked here and in `service/runtime/config.py`, once; what they do is elsewhere.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from service.runtime.config import (
    ApiSettings,
    EngineSettings,
    ListenAddress,
    ProjectSettings,
    ServeSettings,
    TlsSettings,
    UpSettings,
)
from service.runtime.user_error import SettingsError

LOG_LEVEL_VARIABLE = "TAG_HISTORY_LOG_LEVEL"
TRUE_WORDS = ("true", "1", "yes")
FALSE_WORDS = ("false", "0", "no")


def add_option(
    parser: argparse.ArgumentParser,
    flag: str,
    help_text: str,
    *,
    kind: Callable[[str], object] = str,
    default: str | None = None,
    metavar: str | None = None,
) -> None:
    """An option with a value. `kind` reads flag, variable and default alike; an empty variable counts as unset."""
    variable = environment_twin(flag)
    parser.add_argument(
        flag,
        type=_reader(kind),
        default=os.environ.get(variable) or default,
        metavar=metavar or kind.__name__.upper().removeprefix("_"),
        help=f"{help_text} [{variable}]{f' (default: {default})' if default else ''}",
    )


def add_switch(parser: argparse.ArgumentParser, flag: str, help_text: str) -> None:
    """An option that is on or off: `--x`, `--x=true`, `--x=false`."""
    variable = environment_twin(flag)
    parser.add_argument(
        flag,
        type=_reader(_boolean),
        nargs="?",
        const=True,
        default=os.environ.get(variable) or False,
        metavar="true|false",
        help=f"{help_text} [{variable}]",
    )


def environment_twin(flag: str) -> str:
    return "TAG_HISTORY_" + flag.removeprefix("--").replace("-", "_").upper()


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """PostgreSQL and NATS. Prefer the variables: a command line is visible to everybody on the machine."""
    add_option(parser, "--postgres-dsn", "where the events are", metavar="postgresql://USER:PASSWORD@HOST/DATABASE")
    add_option(parser, "--nats-url", "where JetStream is; several URLs with commas", metavar="nats://TOKEN@HOST:PORT")
    add_option(parser, "--nats-credentials-file", "user JWT and key for NATS", kind=Path, metavar="FILE")
    add_option(parser, "--jetstream-replicas", "copies of each message in a NATS cluster", kind=int, default="1")


def add_api_options(parser: argparse.ArgumentParser) -> None:
    """What `up` and `serve` have in common."""
    add_option(parser, "--tls-cert-file", "certificate to serve with, PEM", kind=Path, metavar="FILE")
    add_option(parser, "--tls-private-key-file", "its private key, PEM", kind=Path, metavar="FILE")
    add_option(parser, "--insecure-listen", "also listen for plain HTTP", kind=ListenAddress.parse, metavar="HOST:PORT")
    add_option(parser, "--token-auth-file", 'lines of token,user,uid,"group1,group2"', kind=Path, metavar="FILE")
    add_option(parser, "--rbac-file", "roles and bindings, read again when it changes", kind=Path, metavar="FILE")
    add_option(parser, "--image-policy-file", "registries to let in, limits of images", kind=Path, metavar="FILE")
    add_option(parser, "--secrets-key-file", "keys to encrypt secrets with, the first one", kind=Path, metavar="FILE")
    add_switch(parser, "--anonymous-auth", "let requests without a token in, as system:anonymous")
    add_option(parser, "--internal-registry-hostname", "the registry's name in the cluster", metavar="HOST[:PORT]")
    add_option(parser, "--external-registry-hostname", "the registry's name outside of it", metavar="HOST[:PORT]")


def add_ready_fd(parser: argparse.ArgumentParser) -> None:
    add_option(parser, "--ready-fd", "descriptor to write a line to when ready", kind=int, metavar="FD")


def add_serve_options(parser: argparse.ArgumentParser) -> None:
    add_engine_options(parser)
    add_api_options(parser)
    add_option(parser, "--listen", "listen for HTTPS", kind=ListenAddress.parse, metavar="HOST:PORT")
    add_option(parser, "--listen-fd", "instead: a socket that listens already", kind=int, metavar="FD")
    add_option(parser, "--insecure-listen-fd", "the same for plain HTTP", kind=int, metavar="FD")
    add_ready_fd(parser)


def add_project_options(parser: argparse.ArgumentParser) -> None:
    add_engine_options(parser)
    add_option(
        parser, "--metrics-listen", "plain HTTP for /metrics and /readyz", kind=ListenAddress.parse, metavar="HOST:PORT"
    )
    add_ready_fd(parser)


def add_up_options(parser: argparse.ArgumentParser) -> None:
    add_option(parser, "--data-dir", "folder for everything", kind=Path, default=".tag-history", metavar="DIR")
    add_option(
        parser, "--listen", "listen for HTTPS", kind=ListenAddress.parse, default="127.0.0.1:8443", metavar="HOST:PORT"
    )
    add_option(parser, "--workers", "API processes on that one port", kind=int, default="1", metavar="N")
    add_engine_options(parser)
    add_api_options(parser)


def engine_settings(args: argparse.Namespace) -> EngineSettings:
    """Raises SettingsError when PostgreSQL or NATS is not given."""
    return EngineSettings(
        postgres_dsn=_required(args.postgres_dsn, "--postgres-dsn"),
        nats_url=_required(args.nats_url, "--nats-url"),
        nats_credentials_file=args.nats_credentials_file,
        jetstream_replicas=args.jetstream_replicas,
    )


def postgres_dsn(args: argparse.Namespace) -> str:
    """For commands that need nothing but the database. Raises SettingsError when it is not given."""
    return _required(args.postgres_dsn, "--postgres-dsn")


def serve_settings(args: argparse.Namespace) -> ServeSettings:
    return ServeSettings(
        engines=engine_settings(args),
        api=_api_settings(args),
        tls=_tls_settings(args),
        listen=args.listen,
        listen_fd=args.listen_fd,
        insecure_listen=args.insecure_listen,
        insecure_listen_fd=args.insecure_listen_fd,
        ready_fd=args.ready_fd,
    )


def project_settings(args: argparse.Namespace) -> ProjectSettings:
    return ProjectSettings(engines=engine_settings(args), metrics_listen=args.metrics_listen, ready_fd=args.ready_fd)


def up_settings(args: argparse.Namespace) -> UpSettings:
    return UpSettings(
        data_dir=args.data_dir,
        listen=args.listen,
        insecure_listen=args.insecure_listen,
        workers=args.workers,
        tls=_tls_settings(args),
        api=_api_settings(args),
        postgres_dsn=args.postgres_dsn,
        nats_url=args.nats_url,
        nats_credentials_file=args.nats_credentials_file,
        jetstream_replicas=args.jetstream_replicas,
    )


def engine_environment(engines: EngineSettings) -> dict[str, str]:
    """The inverse of `engine_settings`, for a process that we start."""
    values = {
        "--postgres-dsn": engines.postgres_dsn,
        "--nats-url": engines.nats_url,
        "--nats-credentials-file": engines.nats_credentials_file,
        "--jetstream-replicas": engines.jetstream_replicas,
    }
    return {environment_twin(flag): str(value) for flag, value in values.items() if value is not None}


def log_level() -> str:
    """How much every command writes to stderr; there is no flag for it."""
    return os.environ.get(LOG_LEVEL_VARIABLE) or "info"


def log_environment() -> dict[str, str]:
    """The same level for a process that we start."""
    return {LOG_LEVEL_VARIABLE: log_level()}


def _api_settings(args: argparse.Namespace) -> ApiSettings:
    return ApiSettings(
        token_auth_file=_readable(args.token_auth_file, "--token-auth-file"),
        rbac_file=_readable(args.rbac_file, "--rbac-file"),
        secrets_key_file=_readable(args.secrets_key_file, "--secrets-key-file"),
        anonymous_auth=args.anonymous_auth,
        internal_registry_hostname=args.internal_registry_hostname,
        external_registry_hostname=args.external_registry_hostname,
        image_policy_file=_readable(args.image_policy_file, "--image-policy-file"),
    )


def _tls_settings(args: argparse.Namespace) -> TlsSettings | None:
    cert_file = _readable(args.tls_cert_file, "--tls-cert-file")
    private_key_file = _readable(args.tls_private_key_file, "--tls-private-key-file")
    if cert_file is None and private_key_file is None:
        return None
    if cert_file is None or private_key_file is None:
        raise SettingsError("--tls-cert-file and --tls-private-key-file go together")
    return TlsSettings(cert_file, private_key_file)


def _readable(path: Path | None, flag: str) -> Path | None:
    if path is None:
        return None
    try:
        with path.open("rb"):
            return path.absolute()
    except OSError as error:
        raise SettingsError(f"{flag}: cannot read {path}: {error.strerror}") from error


def _required(value: str | None, flag: str) -> str:
    if not value:
        raise SettingsError(f"{flag} (or {environment_twin(flag)}) is missing")
    return value


def _reader(kind: Callable[[str], object]) -> Callable[[str], object]:
    """`kind` in argparse's manners: our own message reaches the user instead of "invalid value"."""

    def read(text: str) -> object:
        try:
            return kind(text)
        except SettingsError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number") from error

    return read


def _boolean(text: str) -> bool:
    if text.lower() in TRUE_WORDS:
        return True
    if text.lower() in FALSE_WORDS:
        return False
    raise SettingsError(f"{text!r} is neither true nor false")
