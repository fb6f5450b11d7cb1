"""`tag-history up`: everything on one machine, from one folder, with one command.

Starts the embedded engines (or uses those it is given), one process that projects and N that serve, on sockets that it
opens itself; prints one line when all of them are ready; keeps all of them running until a signal.
Invariants: standard output gets that one line and nothing else; everything started here ends before, or with, this
process, in the order serve, project, NATS, PostgreSQL; secrets are in files and environments, never on a command line.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path

import msgspec

from service.cli.migrate import bring_up_to_date
from service.cli.options import add_up_options, engine_environment, log_environment, up_settings
from service.runtime.certificates import ensure_certificates
from service.runtime.config import EngineSettings, ListenAddress, TlsSettings, UpSettings
from service.runtime.credentials import ensure_rbac_file, ensure_token_file, write_kubeconfig
from service.runtime.data_dir import DataDir, hold_data_dir
from service.runtime.embedded_nats import EmbeddedNats
from service.runtime.embedded_postgres import EmbeddedPostgres
from service.runtime.listening import open_listening_sockets
from service.runtime.processes import SupervisedProcess
from service.runtime.roles import RoleProcess
from service.runtime.tasks import Supervisor, run_until_signal
from service.secretstore.keyring import ensure_key_file


def add_command(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("up", help="run everything on this machine, with its own PostgreSQL and NATS")
    add_up_options(parser)
    parser.set_defaults(func=_run)


def _run(args: argparse.Namespace) -> None:
    asyncio.run(run_until_signal(up(up_settings(args))))


class Entrance(msgspec.Struct, frozen=True):
    """What a client needs to come in, and the flags that tell a server the same."""

    url: str
    tls: TlsSettings
    token_file: Path
    rbac_file: Path
    secrets_key_file: Path


async def up(settings: UpSettings) -> None:
    """Run everything until cancelled. Raises UserError when something cannot be started."""
    async with AsyncExitStack() as stack:
        data_dir = stack.enter_context(hold_data_dir(settings.data_dir))
        secure = _listen(stack, settings.listen, settings.workers)
        insecure = _listen(stack, settings.insecure_listen, settings.workers)
        entrance = _prepare_entrance(settings, data_dir, port=secure[0].getsockname()[1])
        embedded, engines = await _start_engines(stack, settings, data_dir)
        await bring_up_to_date(engines.postgres_dsn)
        roles = _roles(settings, entrance, engines, secure, insecure)
        await stack.enter_async_context(_running(roles))
        supervisor = await stack.enter_async_context(Supervisor("up"))
        for process in [*embedded, *roles]:
            supervisor.start(process.name, process.supervise())
        print(f"ready {entrance.url} kubeconfig {settings.data_dir / data_dir.kubeconfig.name}", flush=True)
        await asyncio.Event().wait()


def _listen(stack: AsyncExitStack, address: ListenAddress | None, workers: int) -> list[socket.socket]:
    if address is None:
        return []
    return [stack.enter_context(closing(opened)) for opened in open_listening_sockets(address, workers)]


def _prepare_entrance(settings: UpSettings, data_dir: DataDir, port: int) -> Entrance:
    """Make what the user did not bring along: certificate, users, what they may do, a key; and the kubeconfig."""
    if settings.api.token_auth_file is None:
        ensure_token_file(data_dir.tokens)
    if settings.api.rbac_file is None:
        ensure_rbac_file(data_dir.rbac)
    if settings.api.secrets_key_file is None:
        ensure_key_file(data_dir.secrets_key)
    if settings.tls is None:
        certificates = ensure_certificates(data_dir.pki, [settings.listen.host])
        tls, authority_pem = certificates.tls, certificates.authority_pem
    else:
        tls, authority_pem = settings.tls, settings.tls.cert_file.read_bytes()
    entrance = Entrance(
        url=ListenAddress(settings.listen.host, port).local_url("https"),
        tls=tls,
        token_file=settings.api.token_auth_file or data_dir.tokens,
        rbac_file=settings.api.rbac_file or data_dir.rbac,
        secrets_key_file=settings.api.secrets_key_file or data_dir.secrets_key,
    )
    write_kubeconfig(data_dir.kubeconfig, entrance.url, authority_pem, entrance.token_file)
    return entrance


async def _start_engines(
    stack: AsyncExitStack, settings: UpSettings, data_dir: DataDir
) -> tuple[list[SupervisedProcess], EngineSettings]:
    """Start the engines that are not given. Returns those, and how to reach all of them."""
    embedded: list[SupervisedProcess] = []

    async def start(engine: SupervisedProcess) -> None:
        embedded.append(engine)
        stack.push_async_callback(engine.stop)
        await engine.start()

    postgres_dsn, nats_url = settings.postgres_dsn, settings.nats_url
    if postgres_dsn is None:
        postgres = EmbeddedPostgres(data_dir.path)
        await start(postgres)
        postgres_dsn = postgres.dsn
    if nats_url is None:
        nats = EmbeddedNats(data_dir.path)
        await start(nats)
        nats_url = nats.url
    return embedded, EngineSettings(
        postgres_dsn=postgres_dsn,
        nats_url=nats_url,
        nats_credentials_file=settings.nats_credentials_file,
        jetstream_replicas=settings.jetstream_replicas,
    )


def _roles(
    settings: UpSettings,
    entrance: Entrance,
    engines: EngineSettings,
    secure: Sequence[socket.socket],
    insecure: Sequence[socket.socket],
) -> list[RoleProcess]:
    """The one that projects, then those that serve, each with its own socket of every port."""
    environment = engine_environment(engines) | log_environment()
    roles = [RoleProcess("project", ["project"], environment)]
    for number in range(settings.workers):
        flags = ["--listen-fd", str(secure[number].fileno())]
        inherited_fds = [secure[number].fileno()]
        if insecure:
            flags += ["--insecure-listen-fd", str(insecure[number].fileno())]
            inherited_fds.append(insecure[number].fileno())
        flags += _api_flags(settings, entrance)
        roles.append(RoleProcess(f"serve-{number + 1}", ["serve", *flags], environment, inherited_fds))
    return roles


def _api_flags(settings: UpSettings, entrance: Entrance) -> list[str]:
    values = {
        "--tls-cert-file": entrance.tls.cert_file,
        "--tls-private-key-file": entrance.tls.private_key_file,
        "--token-auth-file": entrance.token_file,
        "--rbac-file": entrance.rbac_file,
        "--secrets-key-file": entrance.secrets_key_file,
        "--anonymous-auth": str(settings.api.anonymous_auth).lower(),
        "--internal-registry-hostname": settings.api.internal_registry_hostname,
        "--external-registry-hostname": settings.api.external_registry_hostname,
        "--image-policy-file": settings.api.image_policy_file,
    }
    return [f"{flag}={value}" for flag, value in values.items() if value is not None]


@asynccontextmanager
async def _running(roles: Sequence[RoleProcess]) -> AsyncIterator[None]:
    """All of them ready inside, none of them left outside."""
    project, *serving = roles
    try:
        await _all_at_once(role.start() for role in roles)
        yield
    finally:
        # Requests in flight may still wait for the projections.
        await _all_at_once(role.stop() for role in serving)
        await project.stop()


async def _all_at_once(works: Iterable[Coroutine[object, object, None]]) -> None:
    async with asyncio.TaskGroup() as group:
        for work in works:
            group.create_task(work)
