"""Large answers go in gzip to who takes it."""

from __future__ import annotations

import gzip

import pytest

from service.http.answer import Answer
from service.http.compression import THRESHOLD_BYTES, compressed

LARGE = Answer(200, {"Content-Type": "application/json"}, b"a" * (THRESHOLD_BYTES + 1))


async def test_a_large_answer_is_compressed() -> None:
    answer = await compressed(LARGE, "deflate, gzip")
    assert gzip.decompress(answer.body) == LARGE.body
    assert answer.headers == {
        "Content-Type": "application/json",
        "Content-Encoding": "gzip",
        "Vary": "Accept-Encoding",
    }


async def test_what_the_answer_varies_with_already_stays() -> None:
    answer = await compressed(Answer(200, {"Vary": "Accept"}, LARGE.body), "gzip")
    assert answer.headers["Vary"] == "Accept, Accept-Encoding"


@pytest.mark.parametrize("accept_encoding", [None, "", "identity", "br, deflate", "gzip;q=0"])
async def test_who_does_not_take_gzip_gets_the_answer_as_it_is(accept_encoding: str | None) -> None:
    assert await compressed(LARGE, accept_encoding) is LARGE


async def test_a_small_answer_is_sent_as_it_is() -> None:
    small = Answer(200, {}, b"a" * THRESHOLD_BYTES)
    assert await compressed(small, "gzip") is small
