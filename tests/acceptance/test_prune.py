"""`tag-history prune` at a running instance: the views forget, the log remembers, and somebody is named for it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.api import API_VERSION, Api, Document, Entrance, api_of, entrance_of, imagestream
from tests.engines import running
from tests.real_images import PushedImage, assortment

WHERE = "namespaces/team"


@pytest_asyncio.fixture
async def pruned_instance(engine_dir: Path) -> AsyncIterator[Entrance]:
    """One of its own: everything old in it goes."""
    async with running("up", "--data-dir", engine_dir, "--listen", "127.0.0.1:0") as instance:
        line = await instance.line()
        assert line.startswith("ready "), await instance.errors()
        yield entrance_of(engine_dir)


async def outcome(*arguments: str | Path) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `tag-history prune`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "service.cli", "prune", *map(str, arguments)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


async def prune(entrance: Entrance, *options: str) -> list[str]:
    code, output, errors = await outcome("--kubeconfig", entrance.kubeconfig, "--keep-younger-than", "0s", *options)
    assert (code, errors) == (0, "")
    return output.splitlines()


async def push(api: Api, tag: str, images: list[PushedImage]) -> None:
    for image in images:
        (await api.create(f"{WHERE}/imagestreammappings", image.mapping("web", tag))).ok()


async def history(api: Api, tag: str, **at: str) -> list[str]:
    listed = (await api.get(f"{WHERE}/imagestreams", **at)).ok()
    tags: dict[str, Document] = {t["tag"]: t for item in listed["items"] for t in item["status"].get("tags", [])}
    return [item["image"] for item in tags.get(tag, {"items": []})["items"]]


async def test_old_history_and_the_images_that_only_it_named(pruned_instance: Entrance) -> None:
    images = assortment("prune", 6)
    digests = [image.digest for image in images]
    async with api_of(pruned_instance) as api:
        (await api.create(f"{WHERE}/imagestreams", imagestream("web"))).ok()
        await push(api, "v1", images[:5])
        await push(api, "v2", [images[0], images[5]])
        before = (await api.get(f"{WHERE}/imagestreams")).ok()["metadata"]["resourceVersion"]
        await asyncio.sleep(1.1)

        shown = await prune(pruned_instance, "--keep-tag-revisions", "2")
        assert shown[-1] == "Would prune 3 entries of 1 tags and 2 images; --confirm does it."
        assert await history(api, "v1") == digests[4::-1]
        assert (await api.get(f"images/{digests[1]}")).status == 200

        done = await prune(pruned_instance, "--keep-tag-revisions", "2", "--confirm")
        assert done[-1] == "Pruned 3 entries of 1 tags and 2 images."
        assert [line.split() for line in done[:2]] == [["TAG", "GONE", "KEPT"], ["team/web:v1", "3", "2"]]
        assert await history(api, "v1") == [digests[4], digests[3]]
        assert await history(api, "v2") == [digests[5], digests[0]]
        for digest in digests:
            gone = digest in (digests[1], digests[2])
            assert (await api.get(f"images/{digest}")).status == (404 if gone else 200)

        # The log remembers.
        assert await history(api, "v1", resourceVersion=before, resourceVersionMatch="Exact") == digests[4::-1]
        assert (await prune(pruned_instance, "--keep-tag-revisions", "2", "--confirm"))[-1].startswith("Pruned 0 ")


async def test_in_one_namespace_no_image_goes(pruned_instance: Entrance) -> None:
    images = assortment("prune one", 2)
    async with api_of(pruned_instance) as api:
        for namespace in ("team", "other"):
            (await api.create(f"namespaces/{namespace}/imagestreams", imagestream("web"))).ok()
        await push(api, "v1", images)
        await asyncio.sleep(1.1)
        assert (await prune(pruned_instance, "--keep-tag-revisions", "0", "--namespace", "other", "--confirm"))[-1] == (
            "Pruned 0 entries of 0 tags and 0 images."
        )
        done = await prune(pruned_instance, "--keep-tag-revisions", "0", "--namespace", "team", "--confirm")
        assert done[-1] == "Pruned 2 entries of 1 tags and 0 images."
        assert await history(api, "v1") == []
        assert (await api.get(f"images/{images[0].digest}")).ok()["apiVersion"] == API_VERSION


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--kubeconfig", "nosuch"), "tag-history: cannot read the kubeconfig nosuch"),
        (("--keep-younger-than", "1 day"), "tag-history prune: argument --keep-younger-than: time: unknown unit"),
        (("--keep-tag-revisions", "-1"), "tag-history prune: argument --keep-tag-revisions: "),
    ],
)
async def test_what_cannot_be_done_is_said_in_a_line(arguments: tuple[str, str], complaint: str) -> None:
    code, output, errors = await outcome(*arguments)
    assert code != 0
    assert errors.startswith(complaint)
    assert (output, errors.count("\n")) == ("", 1)
