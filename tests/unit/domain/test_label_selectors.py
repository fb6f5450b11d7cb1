"""Label selectors: the grammar with its sentences, and the meaning against a slow model."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.errors import BadRequest
from service.domain.selectors import parse_label_selector

VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


@pytest.mark.parametrize(
    ("text", "labels", "selected"),
    [
        ("", {}, True),
        ("odd=0", {"odd": "0"}, True),
        ("odd==0", {"odd": "1"}, False),
        ("odd!=0", {"odd": "1"}, True),
        ("opt!=x", {}, True),
        ("n in (1,2)", {"n": "2"}, True),
        ("n notin (1,2)", {"n": "1"}, False),
        ("n notin (1,2)", {}, True),
        ("opt", {"opt": ""}, True),
        ("!opt", {"opt": ""}, False),
        ("odd=0,n=2", {"odd": "0", "n": "3"}, False),
        ("n>2", {"n": "3"}, True),
        ("n<2", {"n": "2"}, False),
        ("n>2", {}, False),
        ("n>2", {"n": "many"}, False),
        ("opt=", {"opt": ""}, True),
        ("opt=", {}, False),
        ("n in ()", {"n": ""}, True),
        ("n in (,)", {"n": ""}, True),
        ("n in (,a)", {"n": "a"}, True),
        ("n in (a,)", {"n": ""}, True),
        ("n in (a,,b)", {"n": ""}, True),
        (" odd = 0 ", {"odd": "0"}, True),
        ("\todd\n in\r( 0 , 1 )", {"odd": "1"}, True),
        ("in in (in,notin)", {"in": "notin"}, True),
        ("example.com/x=y", {"example.com/x": "y"}, True),
    ],
)
def test_what_a_written_selector_selects(text: str, labels: dict[str, str], selected: bool) -> None:
    assert parse_label_selector(text).matches(labels) is selected


def test_an_object_without_labels_is_one_with_none() -> None:
    assert parse_label_selector("!a").matches(None)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("==", "found '==', expected: !, identifier, or 'end of string'"),
        (",", "found ',', expected: !, identifier, or 'end of string'"),
        ("a b=c", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a,b,", "found '', expected: identifier after ','"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("!a=b", "found '=', expected: ',' or 'end of string'"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("a=(", "unable to parse requirement: found '(', expected: identifier"),
        ("n in 1", "unable to parse requirement: found '1' expected: '('"),
        ("n in (1,2", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("n in (", "unable to parse requirement: found '', expected: ',', ')' or identifier"),
        ("n in (a,,)", "unable to parse requirement: found ')', expected: ',', or identifier"),
        (
            "n>x",
            "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be "
            "an integer",
        ),
        ("n=a/b", f'unable to parse requirement: values[0][n]: Invalid value: "a/b": {VALUE_RULE}'),
    ],
)
def test_a_syntax_error_names_the_token_and_what_was_hoped_for(text: str, sentence: str) -> None:
    with pytest.raises(BadRequest) as wrong:
        parse_label_selector(text)
    assert wrong.value.message == sentence


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("-a", "name part must consist of alphanumeric characters"),
        ("a" * 64, "name part must be no more than 63 bytes"),
        ("/a", "prefix part must be non-empty"),
        ("UP/a", "prefix part a lowercase RFC 1123 subdomain must consist of"),
        ("a/b/c", "a qualified name must consist of"),
        ("a/", "name part must be non-empty; name part must consist of"),
    ],
)
def test_a_key_is_a_qualified_name(key: str, problem: str) -> None:
    with pytest.raises(BadRequest) as wrong:
        parse_label_selector(f"{key}=1")
    assert wrong.value.message.startswith(f'unable to parse requirement: <nil>: Invalid value: "{key}": {problem}')


def test_requirements_are_sorted_by_key() -> None:
    assert [r.key for r in parse_label_selector("b,!a,c=1").requirements] == ["a", "b", "c"]


keys = st.sampled_from(["a", "b", "example.com/c"])
values = st.sampled_from(["", "0", "1", "7", "x"])
labels = st.dictionaries(keys, values)
requirements = st.one_of(
    st.tuples(keys, st.sampled_from(["exists", "absent"]), st.just([])),
    st.tuples(keys, st.sampled_from(["=", "==", "!="]), st.lists(values, min_size=1, max_size=1)),
    st.tuples(keys, st.sampled_from(["in", "notin"]), st.lists(values, min_size=1, max_size=4)),
    st.tuples(keys, st.sampled_from([">", "<"]), st.lists(st.sampled_from(["0", "1", "6"]), min_size=1, max_size=1)),
)


def written(key: str, operator: str, wanted: list[str]) -> str:
    match operator:
        case "exists":
            return key
        case "absent":
            return f"!{key}"
        case "in" | "notin":
            return f"{key} {operator} ({','.join(wanted)})"
        case _:
            return f"{key}{operator}{wanted[0]}"


def holds(key: str, operator: str, wanted: list[str], have: dict[str, str]) -> bool:
    match operator:
        case "exists":
            return key in have
        case "absent":
            return key not in have
        case "=" | "==" | "in":
            return key in have and have[key] in wanted
        case "!=" | "notin":
            return key not in have or have[key] not in wanted
        case _:
            number = int(have[key]) if have.get(key, "").isdigit() else None
            bound = int(wanted[0])
            return number is not None and (number > bound if operator == ">" else number < bound)


def spelled_ambiguously(requirement: tuple[str, str, list[str]]) -> bool:
    """Two empty values side by side: the grammar reads (,,) as a comma too many."""
    _, operator, wanted = requirement
    return operator in ("in", "notin") and wanted.count("") > 1


@given(st.lists(requirements.filter(lambda r: not spelled_ambiguously(r)), max_size=4), labels)
def test_a_selector_selects_what_each_of_its_requirements_does(
    asked: list[tuple[str, str, list[str]]], have: dict[str, str]
) -> None:
    selector = parse_label_selector(", ".join(written(*r) for r in asked))
    assert selector.matches(have) is all(holds(*r, have) for r in asked)


@given(st.text(alphabet="ab!=<>(), inot/\\\x00é-", max_size=20))
def test_any_text_is_a_selector_or_a_bad_request(text: str) -> None:
    try:
        selector = parse_label_selector(text)
    except BadRequest as wrong:
        assert wrong.message
    else:
        assert isinstance(selector.matches({"a": "b"}), bool)
