"""The headers that every answer has."""

from __future__ import annotations

from service.http.headers import with_common_headers


def test_every_answer_names_its_request_and_is_kept_by_nobody() -> None:
    headers = with_common_headers({"Content-Type": "text/plain"}, "id-7", [])
    told = {"Audit-Id": "id-7", "Server": "tag-history", "Cache-Control": "no-store"}
    assert dict(headers) == {"Content-Type": "text/plain", **told}


def test_an_answer_that_may_be_kept_says_so_itself() -> None:
    assert with_common_headers({"Cache-Control": "public"}, "id-7", [])["Cache-Control"] == "public"


def test_each_warning_is_told_once_in_quotes() -> None:
    headers = with_common_headers({}, "id-7", ['unknown field "a\\b"', "odd", "odd"])
    assert headers.getall("Warning") == ['299 - "unknown field \\"a\\\\b\\""', '299 - "odd"']


def test_a_warning_that_would_break_the_head_is_left_out() -> None:
    assert "Warning" not in with_common_headers({}, "id-7", ["two\r\nSet-Cookie: x"])
