"""Why a body is not JSON, in the words of Go's encoding/json.

Keeps: the work is a few passes at C speed and one short walk at the end, whatever the body holds: an attacker's three
megabytes cost no more than a client's. Python's own parser says where it stopped; from there Go's states are followed.
Elsewhere: parsing what is JSON (`decoding.py`).
"""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import NoReturn

from service.api.go_text import quote

END_OF_INPUT = "unexpected end of JSON input"
TOO_DEEP = "invalid character '[' exceeded max depth"

_SPACE = " \t\r\n"
_DIGITS = frozenset("0123456789")
_WORD_CHARACTERS = "-+.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_STRING_BODY = re.compile(r'(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+')
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_OPENS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_DIGIT_RUN = re.compile(r"[0-9]*")
_HEX = frozenset("0123456789abcdefABCDEF")
_LITERALS = {"t": "true", "f": "false", "n": "null"}

_VALUE = "looking for beginning of value"
_KEY = "looking for beginning of object key string"
_AFTER_KEY = "after object key"
_AFTER_PAIR = "after object key:value pair"
_AFTER_ELEMENT = "after array element"
_AFTER_TOP = "after top-level value"


class _Stop(Exception):
    """Where and why Go stops."""


def _refuse_constant(name: str) -> NoReturn:
    """Python reads NaN and the infinities, which are no JSON."""
    if name.startswith("-"):
        raise _Stop(f"invalid character '{name[1]}' in numeric literal")
    raise _Stop(f"invalid character '{name[0]}' {_VALUE}")


# What the numbers are does not matter here, and converting a very long one would fail.
_decoder = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=len, parse_float=len)


def syntax_error(body: bytes) -> str:
    """What Go says of this body, which Python would not parse either."""
    # JSON's grammar is ASCII and Go looks at bytes: one character per byte.
    text = body.decode("latin-1")
    try:
        _decoder.decode(text)
    except json.JSONDecodeError as error:
        return _Tail(text, error).error()
    except _Stop as stop:
        return str(stop)
    except RecursionError:
        return TOO_DEEP
    return END_OF_INPUT


class _Tail:
    """The part of the text where the parser stopped, read with the states of Go's scanner."""

    def __init__(self, text: str, error: json.JSONDecodeError) -> None:
        self._text = text
        self._at = min(error.pos, len(text))
        self._message = error.msg

    def error(self) -> str:
        try:
            if self._message.startswith("Invalid control character"):
                self._string_body()
            elif self._message.startswith("Invalid \\"):
                self._at = self._text.rindex("\\", 0, self._at + 1)
                self._string_body()
            else:
                self._back_to_token()
                self._token()
        except _Stop as stop:
            return str(stop)
        return END_OF_INPUT

    def _back_to_token(self) -> None:
        """To the beginning of a number or word the parser stopped in, or of the character it did not like."""
        self._at = len(self._text[: self._at].rstrip(_WORD_CHARACTERS))

    def _token(self) -> None:
        before = self._text[: self._at].rstrip(_SPACE)
        expected = self._expected(before)
        # Newer Pythons stop at a comma that has nothing behind it; Go goes on to the next character.
        for _ in range(2):
            self._skip_space()
            character = self._here()
            if character == "," and expected in (_AFTER_PAIR, _AFTER_ELEMENT):
                self._at += 1
                expected = _KEY if expected == _AFTER_PAIR else _VALUE
                continue
            break
        if expected == _VALUE:
            self._value()
        elif expected == _KEY and self._here() == '"':
            self._string()
        else:
            self._refuse(expected)

    def _expected(self, before: str) -> str:
        last = before[-1:]
        if last in ("", ":", "["):
            return _VALUE
        if last == "{":
            return _KEY
        if last == "," or not self._message.startswith("Expecting ':'"):
            container = _innermost(before)
            if last == ",":
                return _KEY if container == "{" else _VALUE
            return {"{": _AFTER_PAIR, "[": _AFTER_ELEMENT}.get(container, _AFTER_TOP)
        return _AFTER_KEY

    def _value(self) -> None:
        character = self._here()
        if character == '"':
            self._string()
        elif character in _LITERALS:
            self._literal(_LITERALS[character])
        elif character == "-" or character in _DIGITS:
            self._number()
            self._refuse(self._expected(self._text[: self._at]))
        else:
            self._refuse(_VALUE)

    def _literal(self, word: str) -> None:
        for expected in word[1:]:
            self._at += 1
            if self._here() != expected:
                self._refuse(f"in literal {word} (expecting '{expected}')", at_end=" ")
        self._at += 1
        self._skip_space()
        self._refuse(self._expected(self._text[: self._at].rstrip(_SPACE)))

    def _number(self) -> None:
        if self._here() == "-":
            self._at += 1
            if self._here() not in _DIGITS:
                self._refuse("in numeric literal", at_end=" ")
        if self._here() == "0":
            self._at += 1
        else:
            self._digits()
        if self._here() == ".":
            self._at += 1
            if self._here() not in _DIGITS:
                self._refuse("after decimal point in numeric literal", at_end=" ")
            self._digits()
        if self._here() in ("e", "E"):
            self._at += 1
            if self._here() in ("+", "-"):
                self._at += 1
            if self._here() not in _DIGITS:
                self._refuse("in exponent of numeric literal", at_end=" ")
            self._digits()

    def _digits(self) -> None:
        run = _DIGIT_RUN.match(self._text, self._at)
        self._at = run.end() if run is not None else self._at

    def _string(self) -> None:
        self._at += 1
        self._string_body()

    def _string_body(self) -> None:
        while True:
            body = _STRING_BODY.match(self._text, self._at)
            self._at = body.end() if body is not None else self._at
            character = self._here()
            if character in ('"', ""):
                return
            if character != "\\":
                self._refuse("in string literal")
            self._at += 1
            self._escape()

    def _escape(self) -> None:
        character = self._here()
        if character != "u":
            if character not in ('"', "\\", "/", "b", "f", "n", "r", "t"):
                self._refuse("in string escape code", at_end=" ")
            self._at += 1
            return
        for _ in range(4):
            self._at += 1
            if self._here() not in _HEX:
                self._refuse("in \\u hexadecimal character escape", at_end=" ")
        self._at += 1

    def _here(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip_space(self) -> None:
        while self._here() and self._here() in _SPACE:
            self._at += 1

    def _refuse(self, context: str, at_end: str = "") -> NoReturn:
        """Stop here. Go feeds its scanner a space at the end, which some states take for a wrong character."""
        character = self._here() or at_end
        if not character:
            raise _Stop(END_OF_INPUT)
        raise _Stop(f"invalid character {_quoted(character)} {context}")


def _quoted(character: str) -> str:
    if character == "'":
        return "'\\''"
    if character == '"':
        return "'\"'"
    return f"'{quote(character)[1:-1]}'"


def _innermost(text: str) -> str:
    """The bracket that is open at the end of a text that is fine so far, or ""."""
    brackets = _STRING.sub("", text).encode("latin-1").translate(None, _NOT_BRACKETS)[::-1]
    balances = accumulate(map(_OPENS.__getitem__, brackets))
    place = next((i for i, balance in enumerate(balances) if balance > 0), None)
    return "" if place is None else chr(brackets[place])
