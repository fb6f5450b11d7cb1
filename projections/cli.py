"""`tag-history project` and `tag-history rebuild`.

`project` runs the relay and all projections, for ever, beside any number of others of its kind. `rebuild` makes views
anew from the log while everything goes on, and can be interrupted and started again at will.
"""

from __future__ import annotations

import argparse
import asyncio
import functools

import asyncpg
import uvloop

from projections.daemon import project
from projections.projection import PoisonedEvent
from projections.rebuild import RebuildRefused, rebuild
from projections.registry import UnknownProjection, every_name, projections_of
from service.cli.options import add_engine_options, add_project_options, postgres_dsn, project_settings
from service.domain.errors import TagHistoryError
from service.runtime.tasks import run_until_signal
from service.runtime.user_error import UserError


def add_project_command(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("project", help="keep the views and JetStream up with the log")
    add_project_options(parser)
    parser.set_defaults(func=_run_project)


def add_rebuild_command(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("rebuild", help="make views anew from the log, with everything going on")
    add_engine_options(parser)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(every_name())}; all if none is given")
    parser.set_defaults(func=_run_rebuild)


def _run_project(args: argparse.Namespace) -> None:
    uvloop.run(run_until_signal(project(project_settings(args))))


def _run_rebuild(args: argparse.Namespace) -> None:
    asyncio.run(run_until_signal(_rebuild(postgres_dsn(args), args.names)))


async def _rebuild(dsn: str, names: list[str]) -> None:
    try:
        await rebuild(dsn, projections_of(names), functools.partial(print, flush=True))
    except* (
        UnknownProjection,
        RebuildRefused,
        PoisonedEvent,
        TagHistoryError,
        asyncpg.PostgresError,
    ) as group:
        raise UserError(f"cannot rebuild: {group.exceptions[0]}") from group
