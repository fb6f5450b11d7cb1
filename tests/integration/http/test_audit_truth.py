"""The audit truth: whatever the history that clients see collapses, the log has every move, who made it, and when.

Each row of the table of spec: image-api 4.6, by real requests of two users.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

import asyncpg
import pytest

from tests.integration.http.client import IMAGES, Client

API = f"{IMAGES}/namespaces/team"
ONE, TWO = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"


class Move(NamedTuple):
    """A tag came to point at something, as the log tells it."""

    actor: str
    recorded_at: datetime
    created: str
    reference: str
    image: str
    generation: int
    cause: str


async def push(client: Client, image: str, reference: str, user: str) -> None:
    mapped = {"metadata": {"name": image}, "dockerImageReference": reference}
    body = {"metadata": {"name": "app"}, "tag": "t", "image": mapped}
    headers = {"X-Tag-History-Reason": f"{user} pushes"}
    (await client.ask("POST", f"{API}/imagestreammappings", body, user=user, headers=headers)).ok(201)


async def count_a_generation(client: Client) -> None:
    """Any change of the spec does."""
    patch = {"spec": {"lookupPolicy": {"local": True}}}
    path = f"{API}/imagestreams/app"
    (await client.ask("PATCH", path, patch, media_type="application/merge-patch+json")).ok()


async def shown(client: Client) -> list[dict[str, Any]]:
    """The history as clients see it."""
    found = (await client.ask("GET", f"{API}/imagetags/app:t")).ok()
    items: list[dict[str, Any]] = found["status"]["items"]
    return items


async def moves(dsn: str) -> list[Move]:
    """Every move of the tag in the log, oldest first."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            "SELECT recorded_at, metadata, data FROM events WHERE type = 'TagImaged' AND tag = 't' ORDER BY position"
        )
    finally:
        await connection.close()
    found = []
    for recorded_at, metadata, data in rows:
        event, who = json.loads(data), json.loads(metadata)
        item = event["item"]
        assert who["reason"] == f"{who['actor']} pushes"
        found.append(
            Move(
                who["actor"],
                recorded_at,
                item["created"],
                item["dockerImageReference"],
                item["image"],
                item["generation"],
                event["cause"]["kind"],
            )
        )
    return found


@pytest.mark.parametrize(
    ("new_generation", "image", "reference", "history"),
    [
        pytest.param(False, ONE, "r.example/a:1", [(ONE, "r.example/a:1", 1)], id="all equal"),
        pytest.param(True, ONE, "r.example/a:1", [(ONE, "r.example/a:1", 2)], id="only the generation differs"),
        pytest.param(False, TWO, "r.example/a:1", [(TWO, "r.example/a:1", 1)], id="the image differs"),
        pytest.param(False, ONE, "r.example/a:2", [(ONE, "r.example/a:2", 1)], id="the reference differs"),
        pytest.param(
            False, TWO, "r.example/a:2", [(TWO, "r.example/a:2", 1), (ONE, "r.example/a:1", 1)], id="both differ"
        ),
    ],
)
async def test_the_log_has_every_move(
    client: Client, database: str, new_generation: bool, image: str, reference: str, history: list[tuple[str, str, int]]
) -> None:
    """root makes the first move (the table's first row), ann the second one, which may leave hardly a trace."""
    (await client.create_stream("team", "app")).ok(201)
    begin = datetime.now(UTC)
    await push(client, ONE, "r.example/a:1", user="root")
    assert [(item["image"], item["generation"]) for item in await shown(client)] == [(ONE, 1)]
    first_created = (await shown(client))[0]["created"]
    if new_generation:
        await count_a_generation(client)
    await push(client, image, reference, user="ann")
    after = await shown(client)
    assert [(item["image"], item["dockerImageReference"], item["generation"]) for item in after] == history
    assert after[-1]["created"] == first_created, "what is overwritten keeps its time: here the view hides the second"
    told = await moves(database)
    assert [(m.actor, m.image, m.reference, m.generation, m.cause) for m in told] == [
        ("root", ONE, "r.example/a:1", 1, "Mapping"),
        ("ann", image, reference, 2 if new_generation else 1, "Mapping"),
    ]
    assert begin <= told[0].recorded_at <= told[1].recorded_at <= datetime.now(UTC)
    assert all(abs(datetime.fromisoformat(m.created) - m.recorded_at).total_seconds() < 60 for m in told)


async def test_the_log_has_the_failed_import_that_a_move_wipes_from_the_view(client: Client, database: str) -> None:
    """A condition is gone with the next move; that somebody wrote it stays."""
    (await client.create_stream("team", "app")).ok(201)
    await push(client, ONE, "r.example/a:1", user="root")
    found = (await client.ask("GET", f"{API}/imagestreams/app")).ok()
    failure = {"type": "ImportSuccess", "status": "False", "reason": "NotFound", "message": "gone", "generation": 1}
    found["status"]["tags"][0]["conditions"] = [{**failure, "lastTransitionTime": "2026-01-01T00:00:00Z"}]
    (await client.ask("PUT", f"{API}/imagestreams/app/status", found)).ok()
    assert (await client.ask("GET", f"{API}/imagetags/app:t")).ok()["status"]["conditions"]
    await push(client, TWO, "r.example/a:2", user="ann")
    assert "conditions" not in (await client.ask("GET", f"{API}/imagetags/app:t")).ok()["status"]
    written = [who["actor"] for type_name, _, who in await client.logged() if type_name == "TagStatusWritten"]
    assert written == ["root"]
    assert len(await moves(database)) == 2


async def test_the_log_has_who_moved_a_tag_that_others_followed(client: Client, database: str) -> None:
    """A tag that tracks another moves in the same command, by the same person, and the log says because of what."""
    source = {"kind": "ImageStreamTag", "name": "t"}
    spec = {"tags": [{"name": "follower", "from": source}]}
    stream = {"metadata": {"name": "app"}, "spec": spec}
    (await client.ask("POST", f"{API}/imagestreams", stream)).ok(201)
    await push(client, ONE, "r.example/a:1", user="ann")
    connection = await asyncpg.connect(database)
    try:
        rows = await connection.fetch("SELECT command_id, metadata, data FROM events WHERE type = 'TagImaged'")
    finally:
        await connection.close()
    told = [(json.loads(row["data"]), json.loads(row["metadata"])["actor"]) for row in rows]
    assert [(event["tag"], event["cause"]["kind"], actor) for event, actor in told] == [
        ("t", "Mapping", "ann"),
        ("follower", "Tracking", "ann"),
    ]
    assert told[1][0]["cause"]["tag"] == "t"
    assert len({row["command_id"] for row in rows}) == 1
