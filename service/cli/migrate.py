"""`tag-history migrate`: bring the schema of a database up to what this version needs.

Safe to run at any time and any number of times; `up` does the same by itself. The statements are in schema.sql.
"""

from __future__ import annotations

import argparse
import asyncio

import asyncpg

from service.cli.options import add_engine_options, postgres_dsn
from service.domain.errors import TagHistoryError
from service.eventstore.schema import SchemaMismatch, migrate
from service.runtime.user_error import UserError


def add_command(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("migrate", help="bring the database schema up to date")
    add_engine_options(parser)
    parser.set_defaults(func=_run)


async def bring_up_to_date(dsn: str) -> None:
    """Migrate, and say in one line why that cannot be. Raises UserError."""
    try:
        await migrate(dsn)
    except (
        SchemaMismatch,
        TagHistoryError,
        OSError,
        ValueError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
    ) as error:
        raise UserError(f"cannot migrate the database: {error}") from error


def _run(args: argparse.Namespace) -> None:
    asyncio.run(bring_up_to_date(postgres_dsn(args)))
