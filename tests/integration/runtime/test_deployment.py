"""compose.yaml and what it names agree with the program, its files and nats-server."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from service.cli.main import main
from service.runtime.embedded_nats import nats_server_program
from service.runtime.embedded_postgres import postgres_programs
from service.runtime.identity import give, unprivileged_identity
from service.runtime.processes import spawn

ROOT = Path(__file__).parents[3]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, object]] = COMPOSE["services"]
ENVIRONMENT_TWIN = re.compile(r"\[(TAG_HISTORY_\w+)]")


def of(service: str, key: str) -> dict[str, object]:
    value = SERVICES[service].get(key, {})
    assert isinstance(value, dict)
    return value


def roles() -> list[str]:
    return [name for name, service in SERVICES.items() if service["image"] == "tag-history" and name != "credentials"]


@pytest.mark.parametrize("service", roles())
def test_each_role_is_a_command_that_knows_its_variables(service: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = SERVICES[service]["command"]
    assert isinstance(command, list)
    with pytest.raises(SystemExit) as end:
        main([*command, "--help"])
    assert end.value.code == 0
    known = set(ENVIRONMENT_TWIN.findall(re.sub(r"\s+", " ", capsys.readouterr().out)))
    assert set(of(service, "environment")) <= known


def test_every_service_that_is_waited_for_is_there_and_can_be_waited_for() -> None:
    for name in SERVICES:
        for other, how in of(name, "depends_on").items():
            if how == {"condition": "service_healthy"}:
                assert "healthcheck" in SERVICES[other]
            else:
                assert SERVICES[other]["restart"] == "on-failure"


def test_every_volume_is_declared_or_a_file_of_ours() -> None:
    for service in SERVICES.values():
        volumes = service.get("volumes", [])
        assert isinstance(volumes, list)
        for volume in volumes:
            source = str(volume).partition(":")[0]
            assert (ROOT / source).is_file() if source.startswith(".") else source in COMPOSE["volumes"]


def test_every_nats_server_is_in_the_url_and_in_the_routes() -> None:
    url = str(of("project", "environment")["TAG_HISTORY_NATS_URL"])
    assert re.fullmatch(r"\S+", url)
    nodes = sorted(name for name in SERVICES if name.startswith("nats-"))
    assert re.findall(r"@(nats-\d):4222(?:,|$)", url) == nodes
    assert re.findall(r"nats-route://(nats-\d):6222", (ROOT / "deploy" / "nats.conf").read_text()) == nodes


def test_nats_server_understands_its_configuration() -> None:
    environment = os.environ | {"SERVER_NAME": "nats-1", "NATS_TOKEN": "trial"}
    check = subprocess.run(
        [str(nats_server_program()), "-t", "--config", str(ROOT / "deploy" / "nats.conf")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert check.returncode == 0, check.stderr


async def test_initdb_accepts_its_arguments(engine_dir: Path) -> None:
    """They say the encoding too: without it, that of the locale C is none that the built-in provider takes."""
    arguments = str(of("postgres", "environment")["POSTGRES_INITDB_ARGS"]).split()
    program, cluster = postgres_programs() / "initdb", engine_dir / "cluster"
    cluster.mkdir()
    identity = await unprivileged_identity(engine_dir, program)
    if identity.owner is not None:
        give(engine_dir, identity.owner)
    process = await spawn(
        [str(program), "--pgdata", str(cluster), "--no-sync", *arguments],
        death_signal=signal.SIGKILL,
        identity=identity.argument,
    )
    assert await process.exit_code() == 0


def test_the_credentials_job_makes_what_the_servers_read(tmp_path: Path) -> None:
    command = SERVICES["credentials"]["command"]
    assert isinstance(command, list)
    subprocess.run(
        [sys.executable, str(ROOT / "deploy" / "credentials.py"), str(tmp_path), *command[1:]],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
    )
    files = [str(value) for name, value in of("serve-1", "environment").items() if name.endswith("_FILE")]
    assert len(files) == 5
    for file in files:
        assert (tmp_path / Path(file).relative_to("/credentials")).is_file()
    kubeconfig = yaml.safe_load((tmp_path / "kubeconfig").read_text())
    assert kubeconfig["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:8443"


def test_the_image_copies_only_what_is_there_and_not_ignored() -> None:
    kept = [line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line[0] == "!"]
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        words = line.split()
        if words[:1] == ["COPY"] and not words[1].startswith("--from"):
            for source in words[1:-1]:
                assert (ROOT / source).exists(), source
                assert any(Path(Path(source).parts[0]).match(pattern) for pattern in kept), source


@pytest.mark.skipif(shutil.which("docker") is None, reason="docker is not installed")
def test_docker_compose_accepts_it() -> None:
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode != 0:
        pytest.skip("docker has no compose here")
    subprocess.run(["docker", "compose", "--file", str(ROOT / "compose.yaml"), "config", "--quiet"], check=True)
