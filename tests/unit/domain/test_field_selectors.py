"""Field selectors: terms, escapes, the fields a resource knows."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.errors import BadRequest
from service.domain.selectors import parse_field_selector


@pytest.mark.parametrize(
    ("text", "fields", "selected"),
    [
        ("", {}, True),
        (",,", {}, True),
        ("metadata.name=s1", {"metadata.name": "s1"}, True),
        ("metadata.name==s1", {"metadata.name": "s2"}, False),
        ("metadata.name!=s1", {"metadata.name": "s2"}, True),
        ("metadata.name=s1,metadata.name=s2", {"metadata.name": "s1"}, False),
        ("spec.repository=", {}, True),
        (r"a=x\,y\=z\\", {"a": r"x,y=z" + "\\"}, True),
    ],
)
def test_what_a_written_selector_selects(text: str, fields: dict[str, str], selected: bool) -> None:
    assert parse_field_selector(text).matches(fields) is selected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("foo", "invalid selector: 'foo'; can't understand 'foo'"),
        (
            "metadata.name in (s1)",
            "invalid selector: 'metadata.name in (s1)'; can't understand 'metadata.name in (s1)'",
        ),
        ("a=b,foo", "invalid selector: 'a=b,foo'; can't understand 'foo'"),
        (r"a=\x", r"invalid field selector: invalid escape sequence: \x"),
        ("a=b\\", "invalid field selector: invalid escape sequence: \\"),
        ("a=b=c", "invalid field selector: unescaped character in value: 61"),
    ],
)
def test_a_syntax_error_quotes_the_term(text: str, sentence: str) -> None:
    with pytest.raises(BadRequest) as wrong:
        parse_field_selector(text)
    assert wrong.value.message == sentence


def test_an_unknown_field_is_refused_and_only_the_common_ones_are_named() -> None:
    selector = parse_field_selector("metadata.name=a,spec.foo=bar")
    with pytest.raises(BadRequest) as wrong:
        selector.validate()
    assert wrong.value.message == '"spec.foo" is not a known field selector: only "metadata.name", "metadata.namespace"'
    selector.validate({"metadata.name", "spec.foo"})


def test_a_pinned_field_is_known_exactly() -> None:
    assert parse_field_selector("metadata.name=a,metadata.namespace!=b").exact("metadata.name") == "a"
    assert parse_field_selector("metadata.name!=a").exact("metadata.name") is None


@given(st.text(max_size=12), st.text(max_size=12))
def test_an_escaped_value_comes_back_whole(value: str, other: str) -> None:
    escaped = value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")
    selector = parse_field_selector(f"b!=x,a={escaped}")
    assert selector.exact("a") == value
    assert selector.matches({"a": other}) is (other == value)


@given(st.text(alphabet="ab=!,\\ é\n", max_size=16))
def test_any_text_is_a_selector_or_a_bad_request(text: str) -> None:
    try:
        selector = parse_field_selector(text)
    except BadRequest as wrong:
        assert wrong.message
    else:
        assert isinstance(selector.matches({}), bool)


FIELDS = st.sampled_from(["metadata.name", "metadata.namespace", "spec.x"])
VALUES = st.text(alphabet="ab,=\\", max_size=3)
TERMS = st.lists(st.tuples(FIELDS, st.sampled_from(["=", "==", "!="]), VALUES), max_size=4)


@given(TERMS, st.dictionaries(FIELDS, VALUES))
def test_a_selector_selects_what_each_of_its_terms_does(terms: list[tuple[str, str, str]], has: dict[str, str]) -> None:
    """A missing field is an empty one."""
    escaped = [(field, sign, re.sub(r"([\\,=])", r"\\\1", value)) for field, sign, value in terms]
    selector = parse_field_selector(",".join("".join(term) for term in escaped))
    assert selector.matches(has) is all((has.get(field, "") == value) is (sign != "!=") for field, sign, value in terms)
