"""Label and field selectors: which objects of a collection a list, a watch or a deletecollection is about.

Keeps: a selector that was parsed matches in time linear in its terms and never fails; a missing field compares as "".
Elsewhere: the grammar of label selectors (`label_selector_syntax.py`), and which fields a resource knows (its module).
Source: spec: kube-api 6.3.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import msgspec

from service.api.go_text import quote
from service.domain.errors import BadRequest
from service.domain.label_requirements import LabelSelector
from service.domain.label_selector_syntax import parse_requirements

DEFAULT_FIELDS = frozenset({"metadata.name", "metadata.namespace"})

_FIELD_OPERATOR = re.compile(r"!=|==|=")
_TERM = re.compile(r"((?:[^\\,]|\\.|\\\Z)*)(?:,|\Z)", re.DOTALL)


def parse_label_selector(text: str) -> LabelSelector:
    """Raises BadRequest with the parser's sentence."""
    try:
        requirements = parse_requirements(text)
    except ValueError as wrong:
        raise BadRequest(str(wrong)) from None
    return LabelSelector(tuple(sorted(requirements, key=lambda r: r.key)))


class FieldTerm(msgspec.Struct, frozen=True):
    field: str
    value: str
    equal: bool


class FieldSelector(msgspec.Struct, frozen=True):
    """Terms that must all hold; none selects everything."""

    terms: tuple[FieldTerm, ...] = ()

    def matches(self, fields: Mapping[str, str]) -> bool:
        return all((fields.get(term.field, "") == term.value) is term.equal for term in self.terms)

    def exact(self, field: str) -> str | None:
        """The one value the field may have, if the selector pins it."""
        return next((term.value for term in self.terms if term.equal and term.field == field), None)

    def validate(self, known_fields: Collection[str] = DEFAULT_FIELDS) -> None:
        """Raises BadRequest for a field the resource does not know; the sentence names only the fields all know."""
        for term in self.terms:
            if term.field not in known_fields:
                raise BadRequest(
                    f'{quote(term.field)} is not a known field selector: only "metadata.name", "metadata.namespace"'
                )

    def __bool__(self) -> bool:
        return bool(self.terms)


def parse_field_selector(text: str) -> FieldSelector:
    """Raises BadRequest. Which fields are known is asked later, by `validate`."""
    terms = [_term(text, part) for part in sorted(_split(text)) if part]
    return FieldSelector(tuple(terms))


def _split(text: str) -> list[str]:
    """The text cut at commas that no backslash guards."""
    parts, position = [], 0
    while position < len(text) and (match := _TERM.match(text, position)):
        parts.append(match[1])
        position = match.end()
    return parts


def _term(text: str, part: str) -> FieldTerm:
    operator = _FIELD_OPERATOR.search(part)
    if operator is None:
        raise BadRequest(f"invalid selector: '{text}'; can't understand '{part}'")
    value = _unescaped(part[operator.end() :])
    return FieldTerm(part[: operator.start()], value, operator[0] != "!=")


def _unescaped(text: str) -> str:
    if not any(c in text for c in "\\,="):
        return text
    result, escaped = [], False
    for char in text:
        if escaped:
            if char not in "\\,=":
                raise BadRequest(f"invalid field selector: invalid escape sequence: \\{char}")
            escaped = False
        elif char == "\\":
            escaped = True
            continue
        elif char in ",=":
            # The reference prints the character's number.
            raise BadRequest(f"invalid field selector: unescaped character in value: {ord(char)}")
        result.append(char)
    if escaped:
        raise BadRequest("invalid field selector: invalid escape sequence: \\")
    return "".join(result)
