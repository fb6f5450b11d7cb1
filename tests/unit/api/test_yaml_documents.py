"""YAML bodies mean what Go's YAML 1.1 library makes of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.api.decoding import DecodeError, findings, inspect
from service.api.image_v1 import ImageStream
from service.api.json_parsing import NESTING_LIMIT
from service.api.yaml_documents import parse_yaml, strict_error
from service.api.yaml_writing import dump_yaml, natural_order

AWKWARD = [
    "y",
    "yes",
    "1.0",
    "010",
    "0x1",
    "2001-01-01",
    "1:30",
    "a: b",
    "- x",
    "x\ny",
    "\n",
    " x\n y",
    "~",
    ".5",
    "<<",
]
documents: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text() | st.sampled_from(AWKWARD),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6) | st.sampled_from(AWKWARD), inner, max_size=5)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("y", True),
        ("No", False),
        ("ON", True),
        ("~", None),
        ("", None),
        ("2001-01-01", "2001-01-01"),
        ("2001-01-01T00:00:00Z", "2001-01-01T00:00:00Z"),
        ("010", 8),
        ("0o10", 8),
        ("08", 8),
        ("0x1F", 31),
        ("-0b11", -3),
        ("1_000", 1000),
        ("1e3", 1000),
        ("1.0", 1),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e999", "1e999"),
        ("1:30", "1:30"),
        ("yEs", "yEs"),
        ("'y'", "y"),
        ("!!str 1", "1"),
        ("!!float 1", 1),
        ("!mine x", "x"),
        ("!!binary aGk=", "hi"),
    ],
)
def test_a_plain_scalar(scalar: str, value: Any) -> None:
    document = parse_yaml(f"a: {scalar}\n".encode()).document
    assert document == {"a": value}
    assert isinstance(document, dict)
    assert type(document["a"]) is type(value) or isinstance(value, float)


def test_keys_become_strings_and_are_sorted() -> None:
    assert list(parse_yaml(b"y: 1\non: 2\n10: 3\n1.5: 4\nb: 5\n").document or ()) == ["1.5", "10", "b", "true"]


def test_only_the_first_document_counts() -> None:
    assert parse_yaml(b"a: 1\n---\nb: [").document == {"a": 1}
    assert parse_yaml(b"").document is None


def test_merges_and_aliases() -> None:
    body = b"base: &b {x: 1, z: [1]}\none: {<<: *b, z: 2}\ntwo: *b\n"
    document: Any = parse_yaml(body).document
    assert document == {"base": {"x": 1, "z": [1]}, "one": {"x": 1, "z": 2}, "two": {"x": 1, "z": [1]}}
    assert document["two"] is not document["base"]


def test_repeated_keys_are_noted_with_the_line_of_their_value() -> None:
    parsed = parse_yaml(b"kind: ImageStream\nspec: {nope: 1}\nspec:\n  lookupPolicy: {local: true}\n")
    assert parsed.document == {"kind": "ImageStream", "spec": {"lookupPolicy": {"local": True}}}
    assert parsed.repeated_lines == ['line 4: key "spec" already set in map']
    assert strict_error(parsed.repeated_lines) == ('yaml: unmarshal errors:\n  line 4: key "spec" already set in map')
    assert findings(parsed, inspect(parsed.document, ImageStream), ImageStream) == parsed.repeated_lines


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ("a: [", "yaml: line 1: did not find expected node content"),
        ("a: b: c", "yaml: mapping values are not allowed in this context"),
        ("a: b\n c: d", "yaml: line 2: mapping values are not allowed in this context"),
        ("a:\n\t- x", "yaml: line 2: found character that cannot start any token"),
        ("key: |\n  x\n y", "yaml: line 2: did not find expected key"),
        ("\x01", "yaml: control characters are not allowed"),
        ("a: *x", "yaml: unknown anchor 'x' referenced"),
        ("a: &x [*x]", "yaml: anchor 'x' value contains itself"),
        ("<<: 1", "yaml: map merge requires map or sequence of maps as the value"),
        ("a: !!int x", "yaml: cannot decode !!str `x` as a !!int"),
        ('a: !!binary "?"', "yaml: !!binary value contains invalid base64 data"),
        ("a: .nan", "json: unsupported value: NaN"),
        ("[a]: b", "yaml: invalid map key"),
        ("~: b", "unsupported map key of type: %!s(<nil>), key: <nil>"),
        ("[" * (NESTING_LIMIT + 1), f"yaml: exceeded max depth of {NESTING_LIMIT}"),
    ],
)
def test_a_refusal_is_in_gos_words(body: str, refusal: str) -> None:
    with pytest.raises(DecodeError) as raised:
        parse_yaml(body.encode())
    assert str(raised.value) == refusal


def test_what_is_no_utf8_is_refused() -> None:
    with pytest.raises(DecodeError, match=r"^yaml: invalid leading UTF-8 octet$"):
        parse_yaml(b"a: \xff")


def test_a_billion_laughs_are_refused_before_they_are_laughed() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    with pytest.raises(DecodeError, match=r"^yaml: document contains excessive aliasing$"):
        parse_yaml("\n".join(lines).encode())


@settings(max_examples=300)
@given(st.binary(max_size=40) | st.text(alphabet="ab:- \n[]{}\"',&*#|>!%@`?1._~<\t", max_size=40).map(str.encode))
def test_nothing_but_a_refusal_comes_of_any_body(body: bytes) -> None:
    try:
        parse_yaml(body)
    except DecodeError as refusal:
        assert str(refusal)


@settings(max_examples=300)
@given(documents)
def test_what_is_written_is_read_back(document: Any) -> None:
    assert parse_yaml(dump_yaml(document).encode()).document == document


def test_an_answer_looks_like_the_references() -> None:
    document: Any = {
        "kind": "ImageStream",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "annotations": {"n": "1", "flag": "yes", "long": "word " * 20, "text": "two\nlines\n", "hash": "#(nop) "},
            "managedFields": [{"fieldsV1": {"f:spec": {".": {}, 'k:{"name":"a"}': {}}}}],
        },
        "spec": {"tags": [{"name": "v10", "annotations": None, "generation": 1}], "images": []},
    }
    assert dump_yaml(document) == (
        "apiVersion: image.openshift.io/v1\n"
        "kind: ImageStream\n"
        "metadata:\n"
        "  annotations:\n"
        '    flag: "yes"\n'
        "    hash: '#(nop) '\n"
        "    long: 'word word word word word word word word word word word word word word word\n"
        "      word word word word word '\n"
        '    "n": "1"\n'
        "    text: |\n"
        "      two\n"
        "      lines\n"
        '  creationTimestamp: "2026-01-01T00:00:00Z"\n'
        "  managedFields:\n"
        "  - fieldsV1:\n"
        "      f:spec:\n"
        "        .: {}\n"
        '        k:{"name":"a"}: {}\n'
        "spec:\n"
        "  images: []\n"
        "  tags:\n"
        "  - annotations: null\n"
        "    generation: 1\n"
        "    name: v10\n"
    )


@pytest.mark.parametrize(
    "ordered",
    [
        ["v1", "v2", "v10"],
        ["_a", "A", "Z", "a"],
        [".", "1", "f:a"],
        ["a", "aa", "ab"],
        ["a1", "a01", "a02"],
        ["a10", "a100", "a101"],
    ],
)
def test_keys_come_in_natural_order(ordered: list[str]) -> None:
    assert list(natural_order(dict.fromkeys(sorted(ordered, reverse=True)))) == ordered
