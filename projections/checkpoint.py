"""Where a projection stands: its row of the table `projections`.

Keeps: the row moves in the transaction that writes the view rows, only from the position that this runner left it at,
and only while nobody has exchanged the tables (`generation`). So of two runners that believe they are the only one, at
most one ever writes what comes next, and the other learns that it is not.
Elsewhere: how there comes to be one runner (`lease.py`).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from asyncpg import Connection

from projections.projection import Projection

# Nothing is written when the row is there, so claiming costs no lock.
ENSURE: Final = "INSERT INTO projections (name, version) VALUES ($1, $2) ON CONFLICT DO NOTHING"
READ: Final = "SELECT version, position, generation FROM projections WHERE name = $1"
MOVE: Final = """
UPDATE projections SET position = $4, stopped_by = NULL, moved_at = clock_timestamp()
WHERE name = $1 AND position = $2 AND generation = $3
"""
STOP: Final = "UPDATE projections SET stopped_by = $2 WHERE name = $1 AND stopped_by IS DISTINCT FROM $2"


class Checkpoint(NamedTuple):
    position: int
    """Everything up to here is in the views, and nothing after it."""
    generation: int
    """Counts the exchanges of the tables."""


class Fenced(Exception):
    """The checkpoint is not where this runner left it: another one runs, or the tables were exchanged."""


class OtherVersion(Exception):
    """The tables were written by another version of the projection."""


async def claim(connection: Connection, projection: Projection) -> Checkpoint:
    """Where the projection stands; 0 if it never ran. Raises OtherVersion."""
    await connection.execute(ENSURE, projection.name, projection.version)
    version, position, generation = await connection.fetchrow(READ, projection.name)
    if version > projection.version:
        raise OtherVersion(f"the views have version {version}, this program makes version {projection.version}")
    if version < projection.version:
        raise OtherVersion(
            f"the views have version {version}, this program makes version {projection.version}:"
            f" run `tag-history rebuild {projection.name}`"
        )
    return Checkpoint(position, generation)


async def read(connection: Connection, name: str) -> Checkpoint:
    _, position, generation = await connection.fetchrow(READ, name)
    return Checkpoint(position, generation)


async def move(connection: Connection, name: str, checkpoint: Checkpoint, to: int) -> Checkpoint:
    """Within the transaction, before any view row is written: the row is locked from then on. Raises Fenced."""
    status: str = await connection.execute(MOVE, name, *checkpoint, to)
    if status != "UPDATE 1":
        raise Fenced(f"the checkpoint of {name} is no longer at {checkpoint.position}")
    return Checkpoint(to, checkpoint.generation)


async def mark_stopped(connection: Connection, name: str, why: str | None) -> None:
    """Tell everybody who looks at the table; None, like the next move, takes it back."""
    await connection.execute(STOP, name, why)
