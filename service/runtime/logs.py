"""Log lines for people and machines: one line per event on stderr, `key=value` throughout.

    get_logger("relay").info("published", position=7)
    time=2026-01-02T03:04:05.678Z level=info logger=relay msg=published position=7

A line never holds a newline, whatever a client sent. Built on the standard library's logging, so that the lines of
libraries look the same.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import MutableMapping
from typing import Any

from service.runtime.user_error import SettingsError

FIELDS = "tag_history_fields"
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
VALUE_LIMIT_CHARACTERS = 2_000

_PLAIN = re.compile(r"[^\s\"=\\]+")
_ARGUMENTS_OF_LOGGING = ("exc_info", "stack_info", "stacklevel", "extra")


class FieldLogger(logging.LoggerAdapter[logging.Logger]):
    """A logger whose keyword arguments become fields of the line."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        fields = {name: kwargs.pop(name) for name in list(kwargs) if name not in _ARGUMENTS_OF_LOGGING}
        kwargs["extra"] = {FIELDS: fields}
        return msg, kwargs


def get_logger(name: str) -> FieldLogger:
    return FieldLogger(logging.getLogger(name))


def configure_logging(level: str = "info") -> None:
    """Send this process's log to stderr. Raises SettingsError for an unknown level."""
    if level not in LEVELS:
        raise SettingsError(f"log level {level!r} is none of {', '.join(LEVELS)}")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(KeyValueFormatter())
    logging.basicConfig(level=LEVELS[level], handlers=[handler], force=True)


class KeyValueFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        fields: dict[str, object] = {
            "time": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "msg": record.getMessage(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info:
            fields["trace"] = self.formatException(record.exc_info)
        return " ".join(f"{name}={_quoted(value)}" for name, value in fields.items())


def _quoted(value: object) -> str:
    text = str(value)[:VALUE_LIMIT_CHARACTERS]
    if text.isprintable() and _PLAIN.fullmatch(text):
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())
