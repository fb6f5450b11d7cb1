"""Health: one word for machines, every check for people, no secrets on the open paths."""

from __future__ import annotations

import asyncio

import pytest

from service.http.answer import Answer
from service.http.documents import DocumentRequest
from service.http.health import PING, Check, Health, Unhealthy
from service.http.query import parse_query


async def broken() -> None:
    raise Unhealthy("no route to 10.0.0.7")


async def surprising() -> None:
    raise RuntimeError("password=hunter2")


async def endless() -> None:
    await asyncio.Event().wait()


DATABASE = Check("postgres", broken)
FINE = Health({"/livez": [PING], "/readyz": [PING, Check("bus", PING.run)]})
SICK = Health({"/readyz": [PING, DATABASE]})


async def ask(health: Health, path: str, query: str = "") -> Answer:
    answer = await health.answer(DocumentRequest("GET", path, parse_query(query)))
    assert answer is not None
    return answer


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/readyz/", "/healthz/ready", "/readyz/bus"])
async def test_healthy_is_ok(path: str) -> None:
    answer = await ask(FINE, path)
    assert (answer.status, answer.body) == (200, b"ok")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


async def test_every_check_is_named_when_asked() -> None:
    answer = await ask(FINE, "/readyz", "verbose")
    assert answer.body == b"[+]ping ok\n[+]bus ok\nreadyz check passed\n"


async def test_a_failure_is_named_but_not_explained() -> None:
    answer = await ask(SICK, "/readyz")
    assert answer.status == 500
    assert answer.body == b"[+]ping ok\n[-]postgres failed: reason withheld\nreadyz check failed\n"


async def test_the_reason_is_told_on_the_check_s_own_path() -> None:
    answer = await ask(SICK, "/readyz/postgres")
    assert (answer.status, answer.body) == (500, b"internal server error: no route to 10.0.0.7\n")


@pytest.mark.parametrize("path", ["/healthz/etcd", "/readyz/etcd"])
async def test_who_asks_for_etcd_is_told_of_the_log(path: str) -> None:
    answer = await ask(Health({"/healthz": [PING], "/readyz": [PING, Check("log", broken)]}), path)
    assert (answer.status, answer.body) == (500, b"internal server error: no route to 10.0.0.7\n")


async def test_a_check_can_be_left_out() -> None:
    answer = await ask(SICK, "/readyz", "verbose&exclude=postgres&exclude=nosuch")
    assert answer.status == 200
    assert answer.body == (
        b"[+]ping ok\n[+]postgres excluded: ok\n"
        b'warn: some health checks cannot be excluded: no matches for "nosuch"\nreadyz check passed\n'
    )


async def test_a_check_that_breaks_has_failed_and_keeps_its_secrets(caplog: pytest.LogCaptureFixture) -> None:
    answer = await ask(Health({"/readyz": [Check("odd", surprising)]}), "/readyz/odd")
    assert (answer.status, answer.body) == (500, b"internal server error: the check itself failed\n")
    assert "hunter2" in caplog.text


async def test_a_check_that_does_not_answer_has_failed() -> None:
    answer = await ask(Health({"/readyz": [PING, Check("slow", endless)]}, check_timeout_s=0.01), "/readyz")
    assert b"[-]slow failed" in answer.body


@pytest.mark.parametrize("path", ["/healthz", "/readyz/nosuch", "/livez/bus", "/", "/readyz/ping/x"])
async def test_what_is_no_health_path(path: str) -> None:
    assert await FINE.answer(DocumentRequest("GET", path)) is None


def test_the_paths_there_are() -> None:
    assert FINE.paths == ["/livez", "/livez/ping", "/readyz", "/readyz/ping", "/readyz/bus"]
