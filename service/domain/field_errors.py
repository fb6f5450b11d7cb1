"""One wrong field of an object: where it is, what kind of wrong, the value, and a sentence.

Keeps: the text and the cause of an error come from one place, so a Status message and its causes never disagree.
Elsewhere: the rules that find wrong fields (`validation.py`), and how an error travels to a client (`http/status.py`).
Source: spec: kube-api 3.1.
"""

from __future__ import annotations

import enum
import json

import msgspec

from service.api.go_text import json_text, quote
from service.api.json_types import Json


class ErrorType(enum.Enum):
    """The reason codes of a cause; the value is (reason, label, whether the value is shown)."""

    REQUIRED = ("FieldValueRequired", "Required value", False)
    INVALID = ("FieldValueInvalid", "Invalid value", True)
    DUPLICATE = ("FieldValueDuplicate", "Duplicate value", True)
    NOT_SUPPORTED = ("FieldValueNotSupported", "Unsupported value", True)
    FORBIDDEN = ("FieldValueForbidden", "Forbidden", False)
    TOO_LONG = ("FieldValueTooLong", "Too long", False)
    TOO_MANY = ("FieldValueTooMany", "Too many", True)
    NOT_FOUND = ("FieldValueNotFound", "Not found", True)
    TYPE_INVALID = ("FieldValueTypeInvalid", "Invalid value", True)
    INTERNAL = ("InternalError", "Internal error", False)

    @property
    def reason(self) -> str:
        return self.value[0]

    @property
    def label(self) -> str:
        return self.value[1]

    @property
    def shows_value(self) -> bool:
        return self.value[2]


class FieldError(msgspec.Struct, frozen=True):
    type: ErrorType
    field: str
    detail: str = ""
    value: Json = None
    shown: str | None = None
    """How the value is printed where its JSON form is not what the reference prints."""

    @property
    def body(self) -> str:
        """The message without the field: what a cause carries."""
        text = self.type.label
        if self.type.shows_value:
            text += f": {self._shown_value}"
        return f"{text}: {self.detail}" if self.detail else text

    @property
    def _shown_value(self) -> str:
        if self.shown is not None:
            return self.shown
        return quote(self.value) if isinstance(self.value, str) else json_text(self.value)

    def __str__(self) -> str:
        return f"{self.field}: {self.body}"


def required(field: str, detail: str = "") -> FieldError:
    return FieldError(ErrorType.REQUIRED, field, detail)


def invalid(field: str, value: Json, detail: str) -> FieldError:
    return FieldError(ErrorType.INVALID, field, detail, value)


def forbidden(field: str, detail: str) -> FieldError:
    return FieldError(ErrorType.FORBIDDEN, field, detail)


def not_found(field: str, value: Json, detail: str = "") -> FieldError:
    return FieldError(ErrorType.NOT_FOUND, field, detail, value)


def internal(field: str, detail: str) -> FieldError:
    return FieldError(ErrorType.INTERNAL, field, detail)


def too_long(field: str, limit_bytes: int) -> FieldError:
    return FieldError(ErrorType.TOO_LONG, field, f"may not be more than {limit_bytes} bytes")


def not_supported(field: str, value: Json, supported: list[str]) -> FieldError:
    listed = ", ".join(json.dumps(s) for s in supported)
    return FieldError(ErrorType.NOT_SUPPORTED, field, f"supported values: {listed}", value)


def summary(errors: list[FieldError]) -> str:
    """The errors as one sentence: alone as it is, several in brackets, equal texts once."""
    texts = list(dict.fromkeys(str(e) for e in errors))
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
