"""What a label key, a label value and a DNS subdomain may look like, and the sentences that say why one may not.

Keeps: the sentences are the reference's, examples included; every function returns all problems, none when it is fine.
Elsewhere: which field a problem belongs to (`selectors.py`, and the validation of object metadata).
Source: spec: kube-api 4.3 and 6.3.
"""

from __future__ import annotations

import re
from functools import lru_cache

_NAME = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = f"({_NAME})?"
_SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_NAME_MATCH = re.compile(_NAME)
_SUBDOMAIN_MATCH = re.compile(_SUBDOMAIN)
_NAME_RULE = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)
NAME_LIMIT_BYTES = 63
SUBDOMAIN_LIMIT_BYTES = 253


def _rule(sentence: str, pattern: str, *examples: str) -> str:
    listed = " or ".join(f"'{example}', " for example in examples)
    return f"{sentence} (e.g. {listed}regex used for validation is '{pattern}')"


def _too_long(limit_bytes: int) -> str:
    return f"must be no more than {limit_bytes} bytes"


def subdomain_problems(text: str) -> list[str]:
    problems = []
    if len(text.encode()) > SUBDOMAIN_LIMIT_BYTES:
        problems.append(_too_long(SUBDOMAIN_LIMIT_BYTES))
    if not _SUBDOMAIN_MATCH.fullmatch(text):
        sentence = (
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
            "and must start and end with an alphanumeric character"
        )
        problems.append(_rule(sentence, _SUBDOMAIN, "example.com"))
    return problems


@lru_cache(maxsize=4096)
def qualified_name_problems(text: str) -> tuple[str, ...]:
    """Of a label or annotation key: an optional DNS subdomain, a slash, and a name."""
    prefix, slash, name = text.rpartition("/")
    if "/" in prefix:
        sentence = _rule(_NAME_RULE, _NAME, "MyName", "my.name", "123-abc")
        return (
            f"a qualified name {sentence} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
        )
    problems = []
    if slash and not prefix:
        problems.append("prefix part must be non-empty")
    elif slash:
        problems += [f"prefix part {problem}" for problem in subdomain_problems(prefix)]
    if not name:
        problems.append("name part must be non-empty")
    elif len(name.encode()) > NAME_LIMIT_BYTES:
        problems.append(f"name part {_too_long(NAME_LIMIT_BYTES)}")
    if not _NAME_MATCH.fullmatch(name):
        problems.append(f"name part {_rule(_NAME_RULE, _NAME, 'MyName', 'my.name', '123-abc')}")
    return tuple(problems)


@lru_cache(maxsize=4096)
def label_value_problems(text: str) -> tuple[str, ...]:
    problems = []
    if len(text.encode()) > NAME_LIMIT_BYTES:
        problems.append(_too_long(NAME_LIMIT_BYTES))
    if text and not _NAME_MATCH.fullmatch(text):
        sentence = (
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
            "and must start and end with an alphanumeric character"
        )
        problems.append(_rule(sentence, _VALUE, "MyValue", "my_value", "12345"))
    return tuple(problems)
