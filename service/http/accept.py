"""The Accept header, taken apart: clauses of type, parameters and weight, the preferred ones first.

Keeps: any text parses; a clause that is none is passed over. A weight of 0 is a low weight and no refusal, as the
reference has it. Elsewhere: which clause wins (`negotiation.py`). Source: spec: kube-api 2.1-2.2; observed, General.
"""

from __future__ import annotations

import msgspec


class Clause(msgspec.Struct, frozen=True):
    type: str
    subtype: str
    parameters: dict[str, str] = {}
    weight: float = 1.0

    def covers(self, media_type: str) -> bool:
        if self.type == "*":
            return self.subtype == "*"
        main, _, sub = media_type.partition("/")
        return self.type == main and self.subtype in ("*", sub)


def parse_accept(header: str) -> list[Clause]:
    clauses = [clause for text in header.split(",") if (clause := _clause(text))]
    clauses.sort(key=lambda clause: (-clause.weight, clause.type == "*", clause.subtype == "*"))
    return clauses


def _clause(text: str) -> Clause | None:
    media_type, *rest = text.split(";")
    main, slash, sub = (part.strip().lower() for part in media_type.partition("/"))
    if not slash and main == "*":
        sub = "*"
    if not main or not sub or "/" in sub:
        return None
    parameters = {}
    for parameter in rest:
        name, equals, value = (part.strip() for part in parameter.partition("="))
        if equals and value and "=" not in value:
            parameters[name] = value
    return Clause(main, sub, parameters, _weight(parameters.pop("q", "1")))


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0.0 <= weight <= 1.0 else 0.0
