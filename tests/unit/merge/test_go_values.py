"""Go prints values its own way; these texts are on the wire."""

from __future__ import annotations

from typing import Any

import pytest

from service.api.go_text import quote
from service.merge.go_values import compact_json, json_kind, plain, syntax, type_name


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (None, "<nil>"),
        (True, "true"),
        (7, "7"),
        (7.0, "7"),
        (0.5, "0.5"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (0.00001, "1e-05"),
        ("a b", "a b"),
        ({"b": [1, None], "a": {"c": "d"}}, "map[a:map[c:d] b:[1 <nil>]]"),
    ],
)
def test_plain(value: Any, printed: str) -> None:
    assert plain(value) == printed


@pytest.mark.parametrize(
    ("value", "printed", "type_printed", "kind"),
    [
        (None, "interface {}(nil)", "<nil>", "null"),
        (False, "false", "bool", "bool"),
        (7, "7", "int64", "number"),
        (0.5, "0.5", "float64", "number"),
        ('"', r'"\""', "string", "string"),
        (["a", 1], '[]interface {}{"a", 1}', "[]interface {}", "array"),
        ({"b": 1, "a": "x"}, 'map[string]interface {}{"a":"x", "b":1}', "map[string]interface {}", "object"),
    ],
)
def test_syntax_and_types(value: Any, printed: str, type_printed: str, kind: str) -> None:
    assert (syntax(value), type_name(value), json_kind(value)) == (printed, type_printed, kind)


def test_quoting_escapes_what_cannot_be_printed() -> None:
    assert quote('é"\\\n\x01\u2028\U000e0001') == r'"é\"\\\n\x01\u2028\U000e0001"'


def test_json_is_sorted_compact_and_safe_in_html() -> None:
    assert compact_json({"b": "<&>", "a": ["é", 1.5]}) == '{"a":["é",1.5],"b":"\\u003c\\u0026\\u003e"}'
