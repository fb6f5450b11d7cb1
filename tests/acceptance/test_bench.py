"""`tag-history bench` from end to end, as short as it gets: its numbers mean nothing here, its being there does."""

from __future__ import annotations

import msgspec

from tests.engines import running


async def test_a_measure_prints_its_report_as_json_and_nothing_else() -> None:
    arguments = ("bench", "--quick", "--seconds", "0.1", "--only", "get", "--json")
    async with running(*arguments, environment={"TAG_HISTORY_LOG_LEVEL": "error"}) as bench:
        lines = []
        while line := await bench.line():
            lines.append(line)
        assert await bench.stop() == 0
    rows = msgspec.json.decode("\n".join(lines))["rows"]
    assert {row["measure"] for row in rows} == {"get"}
    assert all(row["ours"] > 0 and row["limit"] > 0 for row in rows)
