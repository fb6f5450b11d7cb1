"""Kubernetes quantities, as limits are written in them: 500, 1.5Gi, 200M, 1e9.

Keeps: exact, however many digits; printing is canonical: the greatest suffix that leaves a whole number.
Elsewhere: what is limited (`image_limits.py`).
"""

from __future__ import annotations

import re
from fractions import Fraction

import msgspec

_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_DECIMAL = ("n", "u", "m", "", "k", "M", "G", "T", "P", "E")
_UNITS = {suffix: Fraction(1024) ** i for i, suffix in enumerate(_BINARY)}
_UNITS |= {suffix: Fraction(1000) ** (i - 3) for i, suffix in enumerate(_DECIMAL)}
_NUMBER = r"[+-]?(?:[0-9]{1,64}(?:\.[0-9]{0,64})?|\.[0-9]{1,64})"
_QUANTITY = re.compile(rf"({_NUMBER})(?:[eE]([+-]?[0-9]{{1,2}})|([a-zA-Z]{{0,2}}))", re.ASCII)


class Quantity(msgspec.Struct, frozen=True):
    value: Fraction
    binary: bool = False
    """Whether it is printed with Ki, Mi, Gi … (k, M, G … otherwise)."""

    @classmethod
    def parse(cls, text: str) -> Quantity:
        """Raises ValueError."""
        match = _QUANTITY.fullmatch(text)
        suffix = (match[3] or "") if match else ""
        if match is None or suffix not in _UNITS:
            raise ValueError(f"{text!r} is no quantity")
        unit = Fraction(10) ** int(match[2]) if match[2] else _UNITS[suffix]
        return cls(Fraction(match[1]) * unit, binary=suffix in _BINARY[1:])

    @classmethod
    def of_bytes(cls, size_bytes: int) -> Quantity:
        return cls(Fraction(size_bytes), binary=True)

    def __str__(self) -> str:
        if self.binary and abs(self.value) >= 1024 and self.value.denominator == 1:
            return _printed(self.value, _BINARY)
        # Nothing is smaller than a billionth.
        return _printed(Fraction(-(-self.value * 10**9 // 1), 10**9), _DECIMAL)


def _printed(value: Fraction, suffixes: tuple[str, ...]) -> str:
    if value == 0:
        return "0"
    greatest = next(s for s in reversed(suffixes) if (value / _UNITS[s]).denominator == 1)
    return f"{value / _UNITS[greatest]}{greatest}"
