"""An import's outcome: each image and repository that it asks for, fetched or failed.

Keeps: what is asked for twice is fetched once; however much is asked for, what runs at a time, and what is read, is
bounded, and all ends by the deadline, whatever is missing then having failed. References to one repository in one
import are all spelled, and treated, like the first. Where credentials are refused, it is tried without, as a public
image needs none.
Source: spec: image-api 9.1-9.5. Elsewhere: one repository (`repository.py`), one image (`manifests.py`), what comes of
it all for the image stream (`domain/imports.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import aiohttp
import msgspec

from service.api.go_text import quote
from service.api.image_v1 import ImageImportStatus, ImageStreamImport, RepositoryImportStatus, TagImportPolicy
from service.api.pull_specs import DEFAULT_TAG, InvalidPullSpec, PullSpec, parse_pull_spec
from service.domain.allowed_registries import RegistrySources
from service.domain.errors import Overloaded
from service.domain.references import prioritized
from service.importer.credentials import CredentialRing
from service.importer.exchange import Allowance, Exchange, Retries
from service.importer.failures import (
    SUCCESS,
    Blocked,
    RegistryError,
    Unauthorized,
    Unnameable,
    image_failure,
    partial_failure,
    repository_failure,
)
from service.importer.manifests import Fetched, Fetcher, Platform
from service.importer.repository import Repository

T = TypeVar("T")


class ImportLimits(msgspec.Struct, frozen=True):
    timeout_s: float = 60.0
    imports: int = 16
    """At a time, of one process"""
    fetches: int = 4
    """At a time, of one import"""
    read_bytes: int = 64 * 1024 * 1024
    """By one import"""
    tags: int = 50
    """Of a repository; the rest are named"""
    retries: Retries = Retries()


DEFAULT_LIMITS = ImportLimits()


class Wishes(msgspec.Struct, frozen=True):
    """What else an import depends on."""

    now: str
    """RFC 3339"""
    sources: RegistrySources
    credentials: CredentialRing
    platform_of: Callable[[str], Platform]
    """What the tag of this name is to be, of all members of a list"""


class Outcome(msgspec.Struct, frozen=True):
    repository: RepositoryImportStatus | None
    images: list[ImageImportStatus]


class Importer:
    def __init__(self, session: aiohttp.ClientSession, limits: ImportLimits = DEFAULT_LIMITS) -> None:
        self._session = session
        self._limits = limits
        self._running = 0

    async def fetch(self, wanted: ImageStreamImport, wishes: Wishes) -> Outcome:
        """The status of the import, images with manifest and config. Raises Overloaded."""
        if self._running >= self._limits.imports:
            raise Overloaded("too many imports are running, please try again later")
        self._running += 1
        try:
            return await self._fetch(wanted, wishes)
        finally:
            self._running -= 1

    async def _fetch(self, wanted: ImageStreamImport, wishes: Wishes) -> Outcome:
        run = _Run(self._session, self._limits, wishes)
        repository = wanted.spec.repository
        if repository is not None:
            run.spell(repository.from_.name, repository.import_policy)
        for image in wanted.spec.images:
            run.spell(image.from_.name, image.import_policy)
        async with asyncio.TaskGroup() as group:
            listed = None
            if repository is not None:
                listed = group.create_task(
                    run.repository(repository.from_.name, repository.import_policy), name="import repository"
                )
            images = [
                group.create_task(
                    run.image(image.from_.name, image.import_policy, image.to.name if image.to else ""),
                    name="import image",
                )
                for image in wanted.spec.images
            ]
        return Outcome(listed.result() if listed else None, [task.result() for task in images])


class _Source(msgspec.Struct, frozen=True):
    """A repository, spelled as it was first."""

    spec: PullSpec
    insecure: bool
    named: Repository
    """As who the namespace's secrets say we are"""
    unnamed: Repository


class _Run:
    def __init__(self, session: aiohttp.ClientSession, limits: ImportLimits, wishes: Wishes) -> None:
        self._session = session
        self._limits = limits
        self._wishes = wishes
        self._allowance = Allowance(limits.read_bytes)
        self._slots = asyncio.Semaphore(limits.fetches)
        self._deadline_s = asyncio.get_running_loop().time() + limits.timeout_s
        self._sources: dict[PullSpec, _Source] = {}
        self._fetched: dict[tuple[PullSpec, str, bool, Platform], asyncio.Future[Fetched | RegistryError]] = {}

    def spell(self, name: str, policy: TagImportPolicy) -> None:
        """Remember how a repository is spelled where it is named first."""
        try:
            spec = parse_pull_spec(name)
        except InvalidPullSpec:
            return
        insecure = policy.insecure or self._wishes.sources.is_insecure(spec)
        full = spec.with_client_defaults().repository()
        if full not in self._sources:
            exchange = Exchange(self._session, self._limits.retries, self._allowance, insecure=insecure)
            credentials = self._wishes.credentials.find(full)
            unnamed = Repository(exchange, full, None)
            named = Repository(exchange, full, credentials) if credentials else unnamed
            self._sources[full] = _Source(spec.repository(), insecure, named, unnamed)

    async def image(self, name: str, policy: TagImportPolicy, to: str) -> ImageImportStatus:
        try:
            spec = parse_pull_spec(name)
        except InvalidPullSpec as error:
            wrong = Unnameable(f"Invalid value: {quote(name)}: invalid name: {error}")
            return ImageImportStatus(status=image_failure(wrong, name))
        refusal = self._wishes.sources.refusal(spec)
        if refusal is not None:
            return ImageImportStatus(status=image_failure(Blocked(refusal), name))
        tag = "" if spec.id else spec.tag or DEFAULT_TAG
        return await self._image_status(spec, tag, policy, to or tag)

    async def repository(self, name: str, policy: TagImportPolicy) -> RepositoryImportStatus:
        spec = parse_pull_spec(name)
        reference = spec.with_client_defaults().repository().exact()
        refusal = self._wishes.sources.refusal(spec)
        if refusal is not None:
            return RepositoryImportStatus(status=repository_failure(Blocked(refusal), reference))
        try:
            tags = prioritized(tag or DEFAULT_TAG for tag in await self._in_time(partial(self._tags, spec)))
        except RegistryError as error:
            return RepositoryImportStatus(status=repository_failure(error, reference))
        limit = self._limits.tags
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(
                    self._image_status(msgspec.structs.replace(spec, tag=tag), tag, policy, tag), name="import tag"
                )
                for tag in tags[:limit]
            ]
        images = [task.result() for task in tasks]
        failures = sum(image.image is None for image in images)
        status = partial_failure(failures) if failures else SUCCESS
        return RepositoryImportStatus(status=status, images=images, additional_tags=tags[limit:])

    async def _image_status(self, spec: PullSpec, tag: str, policy: TagImportPolicy, to: str) -> ImageImportStatus:
        """`spec` names a tag, the default tag, or a digest; `to` is the tag of the stream that it is for."""
        keep_lists = policy.import_mode == "PreserveOriginal"
        platform = Platform() if spec.id or keep_lists else self._wishes.platform_of(to)
        fetched = await self._once(spec, keep_lists, platform)
        if isinstance(fetched, RegistryError):
            reference = spec.with_client_defaults().exact()
            return ImageImportStatus(status=image_failure(fetched, reference), tag=tag)
        return ImageImportStatus(status=SUCCESS, image=fetched.image, tag=tag, manifests=list(fetched.members))

    async def _once(self, spec: PullSpec, keep_lists: bool, platform: Platform) -> Fetched | RegistryError:
        reference = spec.id or spec.tag or DEFAULT_TAG
        repository = spec.with_client_defaults().repository()
        key = (repository, reference, keep_lists, platform)
        known = self._fetched.get(key)
        if known is None:
            known = self._fetched[key] = asyncio.get_running_loop().create_future()
            outcome: Fetched | RegistryError
            try:
                fetch = partial(self._fetch, self._sources[repository], reference, keep_lists, platform)
                outcome = await self._in_time(fetch)
            except RegistryError as error:
                outcome = error
            except BaseException:
                known.cancel()
                raise
            known.set_result(outcome)
        return await asyncio.shield(known)

    async def _fetch(self, source: _Source, reference: str, keep_lists: bool, platform: Platform) -> Fetched:
        async def by(repository: Repository) -> Fetched:
            fetcher = Fetcher(repository, source.spec, self._wishes.now)
            return await fetcher.fetch(reference, keep_lists=keep_lists, platform=platform)

        return await _whoever_may(source, by)

    async def _tags(self, spec: PullSpec) -> list[str]:
        source = self._sources[spec.with_client_defaults().repository()]
        return await _whoever_may(source, Repository.tags)

    async def _in_time(self, work: Callable[[], Awaitable[T]]) -> T:
        """Raises RegistryError, also when the import's time is over."""
        try:
            async with asyncio.timeout_at(self._deadline_s), self._slots:
                return await work()
        except TimeoutError:
            raise RegistryError("context deadline exceeded") from None


async def _whoever_may(source: _Source, work: Callable[[Repository], Awaitable[T]]) -> T:
    """With the credentials there are, and then without. Raises RegistryError."""
    try:
        return await work(source.named)
    except Unauthorized as error:
        if source.named is source.unnamed:
            raise
        try:
            return await work(source.unnamed)
        except Unauthorized:
            raise error from None
