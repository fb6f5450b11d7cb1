"""Strings inside messages look as Go prints them."""

from __future__ import annotations

import pytest

from service.api.go_text import json_text, quote


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", '"plain"'),
        ("é", '"é"'),
        ('say "x"', r'"say \"x\""'),
        ("a\\b", r'"a\\b"'),
        ("a\x00b", r'"a\x00b"'),
        ("line\n\ttab", r'"line\n\ttab"'),
        ("\x7f", r'"\x7f"'),
        ("\u200b", r'"\u200b"'),
        ("\U000e0001", r'"\U000e0001"'),
        ("", '""'),
    ],
)
def test_what_cannot_be_printed_is_escaped(text: str, shown: str) -> None:
    assert quote(text) == shown


def test_json_is_compact_and_safe_in_html() -> None:
    assert json_text({"a": ["<b>&", 1, None]}) == '{"a":["\\u003cb\\u003e\\u0026",1,null]}'
