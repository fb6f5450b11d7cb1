"""What a label selector asks of an object's labels: requirements on single keys, all of which must hold.

Keeps: a Requirement that was built by `requirement()` is well-formed, so matching can not fail.
Elsewhere: the written form (`label_selector_syntax.py`) and who asks (`selectors.py`, RBAC aggregation).
Source: spec: kube-api 6.3.1.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

import msgspec

from service.domain.field_errors import FieldError, invalid, summary
from service.domain.go_syntax import parse_int64
from service.domain.qualified_names import label_value_problems, qualified_name_problems

NO_LABELS: Mapping[str, str] = {}


class Operator(enum.Enum):
    EXISTS = "exists"
    NOT_EXISTS = "!"
    IN = "in"
    NOT_IN = "notin"
    GREATER = "gt"
    LESS = "lt"


class Requirement(msgspec.Struct, frozen=True):
    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def holds(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.key)
        match self.operator:
            case Operator.EXISTS:
                return value is not None
            case Operator.NOT_EXISTS:
                return value is None
            case Operator.IN:
                return value in self.values
            case Operator.NOT_IN:
                return value not in self.values
            case Operator.GREATER | Operator.LESS:
                return value is not None and self._compares(value)

    def _compares(self, value: str) -> bool:
        try:
            have = parse_int64(value)
        except ValueError:
            return False
        bound = int(self.values[0])
        return have > bound if self.operator is Operator.GREATER else have < bound


class LabelSelector(msgspec.Struct, frozen=True):
    """Empty selects everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str] | None) -> bool:
        have = labels or NO_LABELS
        return all(requirement.holds(have) for requirement in self.requirements)

    def __bool__(self) -> bool:
        return bool(self.requirements)


def key_error(key: str, path: str) -> FieldError | None:
    problems = qualified_name_problems(key)
    return invalid(path, key, "; ".join(problems)) if problems else None


def requirement(key: str, operator: Operator, values: tuple[str, ...] = ()) -> Requirement:
    """A well-formed requirement. Raises ValueError with every problem of its key and values, in one sentence."""
    errors = [wrong for wrong in [key_error(key, "key")] if wrong is not None]
    if operator in (Operator.GREATER, Operator.LESS):
        errors += [
            invalid(f"values[{i}]", value, "for 'Gt', 'Lt' operators, the value must be an integer")
            for i, value in enumerate(values)
            if not _is_integer(value)
        ]
    for i, value in enumerate(values):
        if problems := label_value_problems(value):
            errors.append(invalid(f"values[{i}][{key}]", value, "; ".join(problems)))
    if errors:
        raise ValueError(summary(errors))
    return Requirement(key, operator, values)


def _is_integer(text: str) -> bool:
    try:
        parse_int64(text)
    except ValueError:
        return False
    return True
