"""`tag-history prune`: cut old tag history, and delete images that nothing points at, through the API.

It does what `oc adm prune images` does, as the user of a kubeconfig: nothing is done that this user may not do, and the
log says who did it. The views forget; the log remembers.
Keeps: without --confirm nothing is written. Image streams are read before images, so an image that is not there is gone
and not new; the write of a stream that changed meanwhile is refused, and decided anew; images are chosen by a second
look at the streams, after the cuts.
Elsewhere: the rules (`domain/pruning.py`). Blobs in registries are not touched.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

import msgspec

from service.api.image_v1 import Image, ImageStream
from service.cli.api_client import ApiClient, Refused, api_client
from service.cli.options import add_option, add_switch
from service.domain.go_syntax import parse_duration_seconds
from service.domain.pruning import KnownImage, Rule, TagCut, cuts_of, history_of, images_to_delete, without
from service.runtime.user_error import SettingsError, UserError

GROUP = "/apis/image.openshift.io/v1"
CONFLICT_TRIES = 10
MIB = 1024 * 1024


class Pruned(msgspec.Struct, frozen=True):
    cuts: list[tuple[str, TagCut]]
    """by `namespace/name` of their image stream"""
    images: list[KnownImage]


def add_command(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("prune", help="cut old tag history, delete images that nothing points at")
    add_option(parser, "--kubeconfig", "server and user", kind=Path, default=".tag-history/kubeconfig", metavar="FILE")
    add_option(parser, "--namespace", "cut history in this one only, and delete no image", metavar="NAME")
    add_option(parser, "--keep-younger-than", "what is younger stays", kind=_duration, default="60m", metavar="60m")
    add_option(
        parser, "--keep-tag-revisions", "how many entries of each tag stay", kind=_count, default="3", metavar="N"
    )
    add_switch(parser, "--confirm", "do it; without this, only show what would go")
    parser.set_defaults(func=_run)


async def prune(api: ApiClient, rule: Rule, namespace: str, *, confirmed: bool) -> Pruned:
    """What went, or what would go. Raises UserError when the server refuses."""
    collection = f"{GROUP}/namespaces/{quote(namespace)}/imagestreams" if namespace else f"{GROUP}/imagestreams"
    streams = await api.list(collection, ImageStream)
    images = {image.name: image for image in map(_known, await api.list(f"{GROUP}/images", Image))}
    cuts: list[tuple[str, TagCut]] = []
    left: list[ImageStream] = []
    for stream in streams:
        found = cuts_of(stream, images, rule)
        if found and confirmed:
            found = await _cut(api, stream, images, rule)
        cuts += [(f"{stream.metadata.namespace}/{stream.metadata.name}", cut) for cut in found]
        left.append(without(stream, found))
    if namespace:
        return Pruned(cuts, [])
    if not confirmed:
        return Pruned(cuts, images_to_delete(left, images, rule))
    unused = images_to_delete(await api.list(f"{GROUP}/imagestreams", ImageStream), images, rule)
    return Pruned(cuts, [image for image in unused if await _delete(api, image)])


async def _cut(api: ApiClient, stream: ImageStream, images: Iterable[str], rule: Rule) -> list[TagCut]:
    """What was cut; nothing if the stream is gone, or has become another, by then."""
    path = f"{GROUP}/namespaces/{quote(stream.metadata.namespace)}/imagestreams/{quote(stream.metadata.name)}"
    known = frozenset(images)
    for _ in range(CONFLICT_TRIES):
        cuts = cuts_of(stream, known, rule)
        if not cuts:
            return []
        try:
            await api.put(f"{path}/status", without(stream, cuts))
            return cuts
        except Refused as refused:
            if refused.code == HTTPStatus.NOT_FOUND:
                return []
            if refused.code != HTTPStatus.CONFLICT:
                raise
        seen = history_of(stream)
        try:
            stream = await api.get(path, ImageStream)
        except Refused as refused:
            if refused.code == HTTPStatus.NOT_FOUND:
                return []
            raise
        # An image that was pushed since the look is unknown to it, and not gone.
        known |= history_of(stream) - seen
    raise UserError(f"{stream.metadata.namespace}/{stream.metadata.name} changes too often to be pruned now")


async def _delete(api: ApiClient, image: KnownImage) -> bool:
    try:
        await api.delete(f"{GROUP}/images/{quote(image.name)}")
    except Refused as refused:
        if refused.code != HTTPStatus.NOT_FOUND:
            raise
        return False
    return True


def _known(image: Image) -> KnownImage:
    size = (image.docker_image_metadata or {}).get("Size")
    return KnownImage(
        image.metadata.name,
        image.metadata.creation_timestamp,
        size if isinstance(size, int) else 0,
        tuple(member.digest for member in image.docker_image_manifests),
    )


def _run(args: argparse.Namespace) -> None:
    since = datetime.now(UTC) - timedelta(seconds=args.keep_younger_than)
    rule = Rule(since.strftime("%Y-%m-%dT%H:%M:%SZ"), args.keep_tag_revisions)
    print("\n".join(report(asyncio.run(_pruned(args, rule)), confirmed=args.confirm)))


async def _pruned(args: argparse.Namespace, rule: Rule) -> Pruned:
    async with api_client(args.kubeconfig) as api:
        return await prune(api, rule, args.namespace or "", confirmed=args.confirm)


def report(pruned: Pruned, *, confirmed: bool) -> list[str]:
    """The lines that tell a person what went, or would go."""
    lines = []
    if pruned.cuts:
        rows = [(f"{stream}:{cut.tag}", str(len(cut.gone)), str(len(cut.kept))) for stream, cut in pruned.cuts]
        lines += [*_table(("TAG", "GONE", "KEPT"), rows), ""]
    if pruned.images:
        rows = [(image.name, image.created or "", f"{image.size_bytes / MIB:.1f}") for image in pruned.images]
        lines += [*_table(("IMAGE", "CREATED", "MIB"), rows), ""]
    entries = sum(len(cut.gone) for _, cut in pruned.cuts)
    counted = f"{entries} entries of {len(pruned.cuts)} tags and {len(pruned.images)} images"
    return [*lines, f"Pruned {counted}." if confirmed else f"Would prune {counted}; --confirm does it."]


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    return [
        "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in (head, *rows)
    ]


def _duration(text: str) -> float:
    try:
        seconds = parse_duration_seconds(text)
    except ValueError as error:
        raise SettingsError(str(error)) from error
    if seconds < 0:
        raise SettingsError(f"{text!r} is less than no time")
    return seconds


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise SettingsError(f"{text!r} is not a number of entries")
    return int(text)
