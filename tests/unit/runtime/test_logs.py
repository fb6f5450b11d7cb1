"""A log line is one line, and reads back to what was logged."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.runtime.logs import VALUE_LIMIT_CHARACTERS, FieldLogger, KeyValueFormatter, configure_logging
from service.runtime.user_error import SettingsError

PAIR = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|[^" ]+)(?: |$)')


class Collect(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(KeyValueFormatter())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@contextmanager
def collected() -> Iterator[tuple[FieldLogger, list[str]]]:
    logger = logging.Logger("test")
    collect = Collect()
    logger.addHandler(collect)
    yield FieldLogger(logger), collect.lines


def parsed(line: str) -> dict[str, str]:
    return {name: json.loads(value) if value.startswith('"') else value for name, value in PAIR.findall(line)}


def test_what_is_plain_stays_plain() -> None:
    with collected() as (log, lines):
        log.info("published", position=7, stream="TAGHISTORY")
    [line] = lines
    assert line.endswith("Z level=info logger=test msg=published position=7 stream=TAGHISTORY")


@given(st.text(max_size=100))
def test_any_value_stays_on_the_line_and_reads_back(value: str) -> None:
    with collected() as (log, lines):
        log.info("received", value=value, after=1)
    [line] = lines
    assert len(line.splitlines()) == 1
    assert line.isprintable()
    assert parsed(line)["value"] == value
    assert parsed(line)["after"] == "1"


def test_long_values_are_cut() -> None:
    with collected() as (log, lines):
        log.info("received", value="x" * 10_000)
    assert len(parsed(lines[0])["value"]) == VALUE_LIMIT_CHARACTERS


def test_a_traceback_is_part_of_the_line() -> None:
    with collected() as (log, lines):
        try:
            raise ValueError("inner")
        except ValueError as error:
            log.info("failed", exc_info=error)
    [line] = lines
    assert len(line.splitlines()) == 1
    assert "ValueError: inner" in parsed(line)["trace"]


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(SettingsError, match="none of debug, info, warning, error"):
        configure_logging("loud")
