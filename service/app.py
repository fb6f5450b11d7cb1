"""The composition root of an API process: everything is built here, in one stack, and taken down in reverse.

    PostgreSQL ◀── appender ◀── commands ◀── resources ◀── HTTP ◀── listeners
        │ log                                   ▲
        └──▶ follower ◀── JetStream ──▶ hub: cache, watches

Keeps: listeners open last and close first, so no request meets a half-built process; watches end before connections
do; appends in flight are answered before the appender goes. The death of any task ends the process.
"""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

from aiohttp import web
from prometheus_client import CollectorRegistry

from service.auth.authentication import Authenticator
from service.auth.authorization import Authorizer
from service.auth.reloading import Current, ReloadingFile
from service.auth.sources import image_policy_source, policy_source, token_source
from service.bus.connection import NatsConnection
from service.bus.follower import Follower
from service.commands.execute import Executor
from service.domain.errors import Unavailable, Unfinished
from service.domain.events import EVENT_TYPES
from service.domain.image_policy import ImagePolicy
from service.domain.served import Registry
from service.domain.world import World
from service.eventstore.appender import Appender
from service.eventstore.codec import Codec
from service.eventstore.database import open_pool
from service.eventstore.head import HeadReader
from service.eventstore.reader import Reader
from service.http.connections import Connections
from service.http.forms import Forms
from service.http.health import Check
from service.http.limits import InFlight
from service.http.metrics import HttpMetrics
from service.http.plain_paths import plain_paths
from service.http.presenter import Presenter
from service.http.reading import Reading
from service.http.routes import Routes
from service.http.server import Server
from service.http.writing import Writing
from service.importer.exchange import registry_session
from service.importer.importer import Importer
from service.reads.payloads import Payloads
from service.reads.snapshot import Snapshots
from service.resources.catalog import Catalog
from service.resources.listing import Lists
from service.resources.namespaces import ensure_default
from service.resources.services import Services
from service.runtime.clock import utc_now
from service.runtime.config import ApiSettings, ListenAddress, ServeSettings, TlsSettings
from service.runtime.listening import BACKLOG_CONNECTIONS, open_listening_sockets
from service.runtime.logs import get_logger
from service.runtime.metrics import new_registry
from service.runtime.readiness import tell_ready
from service.runtime.tasks import Backoff, Supervisor
from service.secretstore.keyring import read_keyring
from service.secretstore.store import SecretStore
from service.watch.cache import Cache
from service.watch.hub import Hub

POOL_SIZE_LIMIT = 10
COLLECT_AFTER = (10_000, 20, 1_000)
"""How many more objects there are, and then how many collections of the younger, before the collector looks."""
REMEMBERED_EVENTS = 10_000
"""How far behind the views the cache begins, so that watches resume from memory after a restart, too."""
SHUTDOWN_TIMEOUT_S = 5.0

T = TypeVar("T")

log = get_logger("serve")


async def serve(settings: ServeSettings) -> None:
    """Serve the API until cancelled. Raises UserError when something cannot be started."""
    metrics = new_registry()
    dsn = settings.engines.postgres_dsn
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(dsn, "serve", size_limit=POOL_SIZE_LIMIT))
        supervisor = await stack.enter_async_context(Supervisor("serve"))
        head = HeadReader(dsn)
        supervisor.start("head", head.run())
        reader, codec, snapshots = Reader(pool), Codec(EVENT_TYPES), Snapshots(pool)
        cache = Cache(head, await _once_possible(lambda: _begin_in_the_past(snapshots)))
        # What was loaded lives as long as the process: the collector need not look at it again and again. Hardly
        # anything that requests make is in cycles, and looking for these took a tenth of a push.
        gc.freeze()
        gc.set_threshold(*COLLECT_AFTER)
        hub = Hub(cache, reader, codec, snapshots, metrics)
        follower = _follow(supervisor, settings, reader, hub)
        appender = Appender(dsn, on_committed=follower.offer, registry=metrics)
        supervisor.start("appender", appender.run())
        authenticator, authorizer, image_policy = _files(settings.api, supervisor)
        key_file = settings.api.secrets_key_file
        secrets = SecretStore(pool, read_keyring(key_file) if key_file else None)
        await _once_possible(secrets.seal_anew)
        services = Services(
            state=cache,
            executor=Executor(cache, appender, codec),
            payloads=Payloads(reader),
            authorizer=authorizer,
            registry=_registry(settings.api),
            secrets=secrets,
            image_policy=image_policy,
        )
        importer = Importer(await stack.enter_async_context(registry_session()))
        server = _server(Catalog(services, importer), services, Lists(cache, snapshots), hub, authenticator, metrics)
        # However far behind the views are: who comes in must find the present.
        await cache.wait_for(await _once_possible(head.read), timeout_ms=None)
        await _once_possible(lambda: ensure_default(services, utc_now()))
        await _listen(stack, settings, server)
        stack.callback(hub.drain)
        tell_ready(settings.ready_fd)
        await asyncio.Event().wait()


async def _begin_in_the_past(snapshots: Snapshots) -> World:
    position = max(await snapshots.checkpoint() - REMEMBERED_EVENTS, 0)
    return await snapshots.world_at(position, with_images=True, with_namespaces=True)


async def _once_possible(work: Callable[[], Awaitable[T]]) -> T:
    """Do it as soon as PostgreSQL lets us, which may be starting at the same time as this process."""
    backoff = Backoff()
    while True:
        try:
            return await work()
        except (Unavailable, Unfinished) as error:
            log.warning("cannot begin yet, trying again", error=error)
            await asyncio.sleep(backoff.next_delay_s())


def _follow(supervisor: Supervisor, settings: ServeSettings, reader: Reader, hub: Hub) -> Follower:
    """The log, from where the cache begins, into the cache, and to the watches."""
    engines = settings.engines
    nats = NatsConnection(engines.nats_url, "tag-history serve", engines.nats_credentials_file)
    supervisor.start("nats", nats.run())
    follower = Follower(reader, nats, hub.cache.position)
    supervisor.start("follower", follower.run())
    hub.cache.hint = follower.hint
    supervisor.start("feed", hub.feed(follower.batches()))
    supervisor.start("house", hub.keep_house())
    return follower


def _files(settings: ApiSettings, supervisor: Supervisor) -> tuple[Authenticator, Authorizer, Current[ImagePolicy]]:
    """Who is it, may they, may the image: from files that are read again when they change."""
    tokens, policy = token_source(settings.token_auth_file), policy_source(settings.rbac_file)
    image_policy = image_policy_source(settings.image_policy_file, settings.internal_registry_hostname)
    for source in (tokens, policy, image_policy):
        if isinstance(source, ReloadingFile):
            supervisor.start(f"follow {source.path.name}", source.follow())
    return Authenticator(tokens, anonymous=settings.anonymous_auth), Authorizer(policy), image_policy


def _registry(settings: ApiSettings) -> Registry:
    return Registry(settings.internal_registry_hostname or "", settings.external_registry_hostname or "")


def _server(
    catalog: Catalog,
    services: Services,
    lists: Lists,
    hub: Hub,
    authenticator: Authenticator,
    metrics: CollectorRegistry,
) -> Server:
    forms = Forms(Presenter(catalog.collections))
    return Server(
        authenticator,
        services.authorizer,
        Routes(catalog.routed),
        Reading(services.authorizer, forms, lists, hub, services.registry),
        Writing(services.authorizer, forms, lists, services.registry),
        plain_paths(catalog.infos, [Check("log", hub.cache.fresh)], metrics),
        InFlight(),
        HttpMetrics(metrics),
    )


async def _listen(stack: AsyncExitStack, settings: ServeSettings, server: Server) -> None:
    """Open the listeners; leaving the stack closes them, and lets requests in flight end."""
    runner = web.ServerRunner(Connections(server.handle), handle_signals=False, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    context = _tls(settings.tls) if settings.tls else None
    for address, descriptor, tls in (
        (settings.listen, settings.listen_fd, context),
        (settings.insecure_listen, settings.insecure_listen_fd, None),
    ):
        listening = _socket(address, descriptor)
        if listening is not None:
            await web.SockSite(runner, listening, ssl_context=tls, backlog=BACKLOG_CONNECTIONS).start()


def _socket(address: ListenAddress | None, descriptor: int | None) -> socket.socket | None:
    if descriptor is not None:
        return socket.socket(fileno=descriptor)
    return open_listening_sockets(address, 1)[0] if address is not None else None


def _tls(settings: TlsSettings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.cert_file, settings.private_key_file)
    return context
