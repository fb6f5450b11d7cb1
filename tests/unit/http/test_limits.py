"""How many requests at a time, and for how long."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

import pytest

from service.auth.users import MASTERS, User
from service.domain.errors import BadRequest, Unfinished
from service.http.errors import TooManyRequests
from service.http.limits import REQUEST_TIMEOUT_S, WRITE_TIMEOUT_S, InFlight, time_limit_s, within
from service.http.request_info import RequestInfo, parse_request

ANN = User("ann")
STREAMS = "/apis/image.openshift.io/v1/namespaces/ns/imagestreams"
READ, WRITE, WATCH = (
    parse_request("GET", STREAMS),
    parse_request("POST", STREAMS),
    parse_request("GET", f"{STREAMS}?watch=1"),
)
IMPORT = parse_request("POST", "/apis/image.openshift.io/v1/namespaces/ns/imagestreamimports")


def test_reads_and_writes_have_limits_of_their_own() -> None:
    in_flight = InFlight(reads_limit=2, writes_limit=1)
    with ExitStack() as others:
        for info in (READ, READ, WRITE):
            others.enter_context(in_flight.one_more(info, ANN))
        for info in (READ, WRITE):
            with pytest.raises(TooManyRequests) as raised, in_flight.one_more(info, ANN):
                raise AssertionError("one too many was let in")
            assert raised.value.retry_after_seconds == 1
    for info in (READ, WRITE):
        with in_flight.one_more(info, ANN):
            pass


@pytest.mark.parametrize(("info", "user"), [(WATCH, ANN), (IMPORT, ANN), (READ, User("root", groups=(MASTERS,)))])
def test_who_is_not_counted_is_never_refused(info: RequestInfo, user: User) -> None:
    in_flight = InFlight(reads_limit=1, writes_limit=0)
    with in_flight.one_more(READ, ANN), in_flight.one_more(info, user), in_flight.one_more(info, user):
        pass


def test_a_request_that_fails_gives_its_place_back() -> None:
    in_flight = InFlight(writes_limit=1)
    for _ in range(3):
        with pytest.raises(BadRequest), in_flight.one_more(WRITE, ANN):
            raise BadRequest("no")


@pytest.mark.parametrize(
    ("method", "query", "limit_s"),
    [
        ("GET", "", REQUEST_TIMEOUT_S),
        ("POST", "", WRITE_TIMEOUT_S),
        ("DELETE", "", WRITE_TIMEOUT_S),
        ("GET", "?timeout=5s", 5.0),
        ("POST", "?timeout=1m", WRITE_TIMEOUT_S),
        ("PUT", "?timeout=250ms", 0.25),
        ("GET", "?timeout=10m", REQUEST_TIMEOUT_S),
        ("GET", "?watch=1", None),
        ("GET", "?watch=1&timeout=junk", None),
    ],
)
def test_how_long_a_request_may_take(method: str, query: str, limit_s: float | None) -> None:
    assert time_limit_s(parse_request(method, f"{STREAMS}{query}")) == limit_s


def test_paths_that_are_no_resource_have_a_limit_too() -> None:
    assert time_limit_s(parse_request("GET", "/version?timeout=32s")) == 32.0


def test_a_timeout_that_is_no_duration_is_refused() -> None:
    with pytest.raises(BadRequest, match='time: invalid duration "soon"'):
        time_limit_s(parse_request("GET", f"{STREAMS}?timeout=soon"))


async def too_late() -> None:
    raise TimeoutError


async def test_time_up_is_told_from_a_timeout_inside() -> None:
    with pytest.raises(Unfinished, match="did not complete within requested timeout"):
        await within(0.001, asyncio.Event().wait())
    with pytest.raises(TimeoutError):
        await within(None, too_late())
