"""Flags and their twins in the environment."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from service.cli.main import main
from service.cli.options import add_serve_options, add_up_options, engine_environment, serve_settings, up_settings
from service.runtime.config import EngineSettings, ListenAddress, ServeSettings, UpSettings
from service.runtime.user_error import SettingsError

ENGINES = ["--postgres-dsn", "postgresql://flag", "--nats-url", "nats://flag"]


def up(*arguments: str) -> UpSettings:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_up_options(parser)
    return up_settings(parser.parse_args(arguments))


def serve(*arguments: str) -> ServeSettings:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_serve_options(parser)
    return serve_settings(parser.parse_args(arguments))


def test_up_needs_no_flag() -> None:
    settings = up()
    assert settings.data_dir == Path(".tag-history")
    assert settings.listen == ListenAddress("127.0.0.1", 8443)
    assert settings.workers == 1
    assert settings.postgres_dsn is None
    assert not settings.api.anonymous_auth


def test_the_flag_wins_over_the_variable_and_the_variable_over_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAG_HISTORY_LISTEN", "127.0.0.1:1")
    monkeypatch.setenv("TAG_HISTORY_WORKERS", "2")
    monkeypatch.setenv("TAG_HISTORY_ANONYMOUS_AUTH", "true")
    monkeypatch.setenv("TAG_HISTORY_POSTGRES_DSN", "")
    settings = up("--listen", "127.0.0.1:2")
    assert settings.listen.port == 2
    assert settings.workers == 2
    assert settings.api.anonymous_auth
    assert settings.postgres_dsn is None
    assert not up("--anonymous-auth=false").api.anonymous_auth


def test_what_up_hands_to_its_processes_reads_back_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    engines = EngineSettings("postgresql://u:p@/d?host=/s", "nats://t@h:1", Path("/c"), jetstream_replicas=3)
    for name, value in engine_environment(engines).items():
        monkeypatch.setenv(name, value)
    assert serve("--insecure-listen-fd", "7").engines == engines


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--insecure-listen-fd", "7"], r"--postgres-dsn \(or TAG_HISTORY_POSTGRES_DSN\) is missing"),
        ([*ENGINES, "--tls-cert-file", "/missing"], "cannot read /missing: No such file"),
        ([*ENGINES, "--tls-cert-file", __file__], "go together"),
        ([*ENGINES], "nothing to serve on"),
    ],
)
def test_incomplete_settings_are_refused(arguments: list[str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        serve(*arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["up", "--listen", "8443"], "tag-history up: argument --listen: '8443' is not HOST:PORT"),
        (["up", "--workers", "many"], "tag-history up: argument --workers: 'many' is not a number"),
        (["up", "--workers", "0"], "tag-history: --workers is between 1 and 256"),
        (["up", "--anonymous-auth=maybe"], "tag-history up: argument --anonymous-auth: 'maybe' is neither true nor"),
        (["migrate"], "tag-history: --postgres-dsn (or TAG_HISTORY_POSTGRES_DSN) is missing"),
    ],
)
def test_a_wrong_command_line_gets_one_line_and_exit_code_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(arguments)
    except SystemExit as end:
        code = int(str(end.code))
    lines = capsys.readouterr().err.splitlines()
    assert code == 2
    assert len(lines) == 1
    assert lines[0].startswith(message)
