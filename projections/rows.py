"""The rows of one table that a batch opens and closes, written with one statement for each.

Keeps: a row that a batch both opens and closes is written once, closed. A row that is to be closed must be there and
open: if it is not, the view is not what this program wrote, and nothing is committed.
Elsewhere: which rows (`imagestreams.py`, `imagetags.py`, `images.py`); what valid_from and valid_to say (schema.sql).
"""

from __future__ import annotations

from collections.abc import Iterable

from asyncpg import Connection

Key = tuple[str | int, ...]
Values = tuple[object, ...]


class DamagedView(Exception):
    """A view does not hold what it must; only a rebuild can help."""


class VersionedRows:
    """`columns` are those of the key, those of the values, and valid_to; `close_statement` takes arrays of the first
    and the last of these.
    """

    def __init__(self, table: str, columns: tuple[str, ...], close_statement: str) -> None:
        self._table = table
        self._columns = columns
        self._close_statement = close_statement
        self._opened: dict[Key, Values] = {}
        self._closed: dict[Key, int] = {}

    def open(self, key: Key, values: Values) -> None:
        self._opened[key] = values

    def close(self, key: Key, position: int) -> None:
        self._closed[key] = position

    async def close_earlier(self, connection: Connection) -> None:
        """Close rows of earlier batches. Raises DamagedView."""
        earlier = [(*key, position) for key, position in self._closed.items() if key not in self._opened]
        if not earlier:
            return
        status: str = await connection.execute(self._close_statement, *zip(*earlier, strict=True))
        if status != f"UPDATE {len(earlier)}":
            raise DamagedView(f"{self._table}: {len(earlier)} rows to close, and the answer is {status}")

    async def insert(self, connection: Connection) -> None:
        """Write the opened rows. The caller has run `close_earlier`."""
        closed = self._closed
        records = [(*key, *values, closed.get(key)) for key, values in self._opened.items()]
        await copy_rows(connection, self._table, self._columns, records)
        self.forget()

    def forget(self) -> None:
        self._opened.clear()
        self._closed.clear()


async def copy_rows(
    connection: Connection, table: str, columns: tuple[str, ...], records: Iterable[tuple[object, ...]]
) -> None:
    """COPY rows into a table of the connection's schema; nothing is sent for none."""
    rows = list(records)
    if rows:
        await connection.copy_records_to_table(table, columns=columns, records=rows)
