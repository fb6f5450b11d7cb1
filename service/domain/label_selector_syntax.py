"""The written form of a label selector: `app=web,tier in (a,b),!legacy,generation>3`.

A selector is read in two steps: tokens, then requirements by recursive descent. Keeps: the sentence of a syntax error
is the reference's, which names the token it tripped over and what it had hoped for.
Elsewhere: what a requirement means (`label_requirements.py`). Source: spec: kube-api 6.3.1-2.
"""

from __future__ import annotations

import re

from service.domain.label_requirements import Operator, Requirement, key_error, requirement

_TOKEN = re.compile(r"[ \t\r\n]*(==|!=|[=!(),<>]|[^=!(),<> \t\r\n\x00]+)?")
_SYMBOLS = frozenset({"==", "!=", "=", "!", "(", ")", ",", "<", ">"})
_END = ""
"""Stands behind the last token. No token is empty, so nothing else looks like it."""

_OPERATORS = {
    "in": Operator.IN,
    "=": Operator.IN,
    "==": Operator.IN,
    "notin": Operator.NOT_IN,
    "!=": Operator.NOT_IN,
    ">": Operator.GREATER,
    "<": Operator.LESS,
}


def parse_requirements(text: str) -> list[Requirement]:
    """The requirements in the order they are written. Raises ValueError with the reference's sentence."""
    return _Parser(text).requirements()


def _tokens(text: str) -> list[str]:
    tokens, position = [], 0
    while (match := _TOKEN.match(text, position)) and match[1]:
        tokens.append(match[1])
        position = match.end()
    tokens.append(_END)
    return tokens


def _is_identifier(token: str) -> bool:
    return token != _END and token not in _SYMBOLS


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.position = 0

    @property
    def next(self) -> str:
        return self.tokens[self.position]

    def take(self) -> str:
        """The next token; the end is never passed."""
        token = self.next
        if token != _END:
            self.position += 1
        return token

    def requirements(self) -> list[Requirement]:
        found: list[Requirement] = []
        while self.next != _END:
            if not self._at_requirement():
                raise ValueError(f"found '{self.next}', expected: !, identifier, or 'end of string'")
            try:
                found.append(self._requirement())
            except ValueError as wrong:
                raise ValueError(f"unable to parse requirement: {wrong}") from None
            separator = self.take()
            if separator == "," and not self._at_requirement():
                raise ValueError(f"found '{self.next}', expected: identifier after ','")
            if separator not in (",", _END):
                raise ValueError(f"found '{separator}', expected: ',' or 'end of string'")
        return found

    def _at_requirement(self) -> bool:
        return self.next == "!" or _is_identifier(self.next)

    def _requirement(self) -> Requirement:
        negated = self.next == "!"
        if negated:
            self.take()
        key = self.take()
        if not _is_identifier(key):
            raise ValueError(f"found '{key}', expected: identifier")
        # The reference has no path at hand here and prints its absence.
        if wrong := key_error(key, "<nil>"):
            raise ValueError(str(wrong))
        if negated:
            return requirement(key, Operator.NOT_EXISTS)
        if self.next in (_END, ","):
            return requirement(key, Operator.EXISTS)
        token = self.take()
        if token not in _OPERATORS:
            raise ValueError(f"found '{token}', expected: in, notin, =, ==, !=, gt, lt")
        values = self._set() if token in ("in", "notin") else {self._single_value()}
        return requirement(key, _OPERATORS[token], tuple(sorted(values)))

    def _single_value(self) -> str:
        if self.next in (_END, ","):
            return ""
        value = self.take()
        if not _is_identifier(value):
            raise ValueError(f"found '{value}', expected: identifier")
        return value

    def _set(self) -> set[str]:
        opening = self.take()
        if opening != "(":
            raise ValueError(f"found '{opening}' expected: '('")
        if self.next == ")":
            self.take()
            return {""}
        if self.next != "," and not _is_identifier(self.next):
            raise ValueError(f"found '{self.next}', expected: ',', ')' or identifier")
        values = self._members()
        self.take()
        return values

    def _members(self) -> set[str]:
        """Everything up to the closing bracket, which stays. A comma with nothing beside it names the empty value."""
        values: set[str] = set()
        while True:
            token = self.take()
            if _is_identifier(token):
                values.add(token)
                if self.next == ")":
                    return values
                if self.next != ",":
                    raise ValueError(f"found '{self.next}', expected: ',' or ')'")
            elif token == ",":
                if not values:
                    values.add("")
                if self.next == ")":
                    return values | {""}
                if self.next == ",":
                    self.take()
                    values.add("")
            else:
                raise ValueError(f"found '{token}', expected: ',', or identifier")
