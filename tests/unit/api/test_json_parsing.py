"""Bodies become documents, or a refusal in the words of Go's encoding/json."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.api.json_parsing import NESTING_LIMIT, DecodeError, Number, parse_json

documents: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"", "unexpected end of JSON input"),
        (b'{"metadata":', "unexpected end of JSON input"),
        (b'"open', "unexpected end of JSON input"),
        (b"apiVersion: v1", "invalid character 'a' looking for beginning of value"),
        (b"k8s\x00", "invalid character 'k' looking for beginning of value"),
        (b"\xef\xbb\xbf{}", "invalid character 'ï' looking for beginning of value"),
        (b"'x'", r"invalid character '\'' looking for beginning of value"),
        (b"[1,]", "invalid character ']' looking for beginning of value"),
        (b"[1,,2]", "invalid character ',' looking for beginning of value"),
        (b"NaN", "invalid character 'N' looking for beginning of value"),
        (b"[-Infinity]", "invalid character 'I' in numeric literal"),
        (b'{"a":1,}', "invalid character '}' looking for beginning of object key string"),
        (b"{a:1}", "invalid character 'a' looking for beginning of object key string"),
        (b'{"a" 1}', "invalid character '1' after object key"),
        (b'{"a":1 "b":2}', "invalid character '\"' after object key:value pair"),
        (b"[1 2]", "invalid character '2' after array element"),
        (b'{"kind":"x"} x', "invalid character 'x' after top-level value"),
        (b"[tru]", "invalid character ']' in literal true (expecting 'e')"),
        (b"nul", "invalid character ' ' in literal null (expecting 'l')"),
        (b"-", "invalid character ' ' in numeric literal"),
        (b"1.x", "invalid character 'x' after decimal point in numeric literal"),
        (b"1e+", "invalid character ' ' in exponent of numeric literal"),
        (b"[01]", "invalid character '1' after array element"),
        (b'"\x01"', r"invalid character '\x01' in string literal"),
        (rb'"\x"', "invalid character 'x' in string escape code"),
        (rb'"\u12g4"', r"invalid character 'g' in \u hexadecimal character escape"),
        (b"[" * 100_000, "invalid character '[' exceeded max depth"),
        (
            b'{"a":' * (NESTING_LIMIT + 1) + b"1" + b"}" * (NESTING_LIMIT + 1),
            "invalid character '[' exceeded max depth",
        ),
    ],
)
def test_a_refusal_is_in_gos_words(body: bytes, refusal: str) -> None:
    with pytest.raises(DecodeError) as raised:
        parse_json(body)
    assert str(raised.value) == refusal


@given(documents)
def test_what_is_json_is_read_as_it_is(document: Any) -> None:
    parsed = parse_json(json.dumps(document).encode())
    assert parsed.document == document
    assert parsed.duplicates == []


@settings(max_examples=300)
@given(st.binary(max_size=40) | st.text(alphabet='[]{}",:012trufalsn \\u-+.eE\n', max_size=40).map(str.encode))
def test_the_same_bodies_are_refused_as_by_any_other_parser(body: bytes) -> None:
    def refuse(_: str) -> None:
        raise ValueError

    try:
        json.loads(body.decode("latin-1"), parse_constant=refuse)
    except ValueError:
        with pytest.raises(DecodeError):
            parse_json(body)
    else:
        parse_json(body)


def test_of_equal_keys_the_last_counts_and_each_repetition_is_named_once() -> None:
    body = b'{"metadata":{"labels":{"a":"1","a":"2","a":"3"}},"tags":[{},{"x":1,"x":2}],"metadata":{"name":"n"}}'
    parsed = parse_json(body)
    assert parsed.document == {"metadata": {"name": "n"}, "tags": [{}, {"x": 2}]}
    assert parsed.duplicates == ["metadata.labels.a", "tags[1].x", "metadata"]


def test_a_body_of_long_repeated_keys_does_not_name_itself_a_hundred_times() -> None:
    key = "k" * 100_000
    inside = ",".join(f'"{i}":1,"{i}":2' for i in range(90))
    body = f'{{"{key}":{{{inside}}}}}'.encode()
    assert sum(map(len, parse_json(body).duplicates)) < 5 * len(key)


def test_numbers_that_are_no_integers_remember_how_they_were_written() -> None:
    number = parse_json(b"[1.50, 1e3]").document
    assert isinstance(number, list)
    assert [item.text for item in number if isinstance(item, Number)] == ["1.50", "1e3"]


def test_an_integer_too_long_for_python_is_still_a_number() -> None:
    digits = "9" * 5000
    number = parse_json(digits.encode()).document
    assert isinstance(number, Number)
    assert number.text == digits


def test_what_is_no_unicode_is_replaced_byte_by_byte() -> None:
    assert parse_json(b'"\xff\xfe\xe2\x82"').document == "\ufffd\ufffd\ufffd\ufffd"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (rb'"\ud83d!"', "\ufffd!"),
        (rb'"\ude00\ud83d"', "\ufffd\ufffd"),
        (rb'"\\ud83d"', r"\ud83d"),
    ],
)
def test_half_a_surrogate_pair_is_replaced(body: bytes, text: str) -> None:
    assert parse_json(body).document == text
