"""What a person does with kubectl: create, apply, edit, patch, label, replace, delete, wait."""

from __future__ import annotations

import asyncio
import copy

import pytest

from tests.acceptance.api import API_VERSION, Document, imagestream, reference_tag
from tests.acceptance.kubectl import Kubectl
from tests.real_images import docker_image, oci_image

WEB = imagestream("web", reference_tag("base", "quay.io/team/base:1"), labels={"app": "web"})


def labelled(**labels: str) -> Document:
    stream = copy.deepcopy(WEB)
    stream["metadata"]["labels"] |= labels
    return stream


def istag(name: str, to: str) -> Document:
    tag = reference_tag("", to)
    return {"apiVersion": API_VERSION, "kind": "ImageStreamTag", "metadata": {"name": name}, "tag": tag}


async def document(kubectl: Kubectl, *what: str) -> Document:
    return (await kubectl.ok("get", *what, "-o", "json")).document


async def version(kubectl: Kubectl, *what: str) -> str:
    number: str = (await document(kubectl, *what))["metadata"]["resourceVersion"]
    return number


async def test_create(kubectl: Kubectl) -> None:
    path = kubectl.file(WEB)
    assert (await kubectl.ok("create", "-f", path)).out == "imagestream.image.openshift.io/web created\n"
    assert 'imagestreams.image.openshift.io "web" already exists' in await kubectl.fails("create", "-f", path)
    wrong = kubectl.file({**imagestream("odd"), "spec": {"tagz": []}})
    assert 'strict decoding error: unknown field "spec.tagz"' in await kubectl.fails("create", "-f", wrong)
    assert 'metadata.name: Invalid value: "-A"' in await kubectl.fails("create", "-f", kubectl.file(imagestream("-A")))
    dry = await kubectl.ok("create", "-f", kubectl.file(imagestream("dry")), "--dry-run=server")
    assert dry.out == "imagestream.image.openshift.io/dry created (server dry run)\n"
    assert (await kubectl.ok("get", "is", "-o", "name")).out == "imagestream.image.openshift.io/web\n"


async def test_apply(kubectl: Kubectl) -> None:
    """New, unchanged, changed, with a tag more and a tag less."""
    path = kubectl.file(WEB)
    assert (await kubectl.ok("apply", "-f", path)).out.endswith("/web created\n")
    before = await version(kubectl, "is", "web")
    assert (await kubectl.ok("apply", "-f", path)).out.endswith("/web unchanged\n")
    assert await version(kubectl, "is", "web") == before
    changed = copy.deepcopy(WEB)
    changed["spec"]["tags"] = [reference_tag("base", "quay.io/team/base:2"), reference_tag("more", "quay.io/x/y:1")]
    assert (await kubectl.ok("apply", "-f", kubectl.file(changed))).out.endswith("/web configured\n")
    stream = await document(kubectl, "is", "web")
    assert {tag["name"]: tag["from"]["name"] for tag in stream["spec"]["tags"]} == {
        "base": "quay.io/team/base:2",
        "more": "quay.io/x/y:1",
    }
    assert (await kubectl.ok("apply", "-f", path)).out.endswith("/web configured\n")
    assert [tag["name"] for tag in (await document(kubectl, "is", "web"))["spec"]["tags"]] == ["base"]
    dry = await kubectl.ok("apply", "-f", kubectl.file(changed), "--dry-run=server")
    assert dry.out.endswith("/web configured (server dry run)\n")
    assert (await kubectl.ok("apply", "-f", path)).out.endswith("/web unchanged\n")


async def test_server_side_apply(kubectl: Kubectl) -> None:
    """Two managers, one field: a conflict names the other, and can be forced."""
    path = kubectl.file(WEB)
    ours = ("apply", "--server-side", "--field-manager=ours", "-f")
    theirs = ("apply", "--server-side", "--field-manager=theirs", "-f")
    assert (await kubectl.ok(*ours, path)).out.endswith("/web serverside-applied\n")
    before = await version(kubectl, "is", "web")
    await kubectl.ok(*ours, path)
    assert await version(kubectl, "is", "web") == before
    other = kubectl.file(labelled(app="other"))
    conflict = await kubectl.fails(*theirs, other)
    assert 'Apply failed with 1 conflict: conflict with "ours": .metadata.labels.app' in conflict
    assert (await document(kubectl, "is", "web"))["metadata"]["labels"] == {"app": "web"}
    await kubectl.ok(*theirs, other, "--force-conflicts")
    assert (await document(kubectl, "is", "web"))["metadata"]["labels"] == {"app": "other"}
    listed = (await kubectl.ok("get", "is", "web", "-o", "json", "--show-managed-fields")).document
    assert {entry["manager"] for entry in listed["metadata"]["managedFields"]} == {"ours", "theirs"}


async def test_from_client_side_to_server_side_apply(kubectl: Kubectl) -> None:
    """kubectl takes over its own fields: a last-applied annotation becomes field ownership."""
    await kubectl.ok("apply", "-f", kubectl.file(WEB))
    await kubectl.ok("apply", "--server-side", "-f", kubectl.file(labelled(tier="front")))
    assert (await document(kubectl, "is", "web"))["metadata"]["labels"] == {"app": "web", "tier": "front"}
    await kubectl.ok("apply", "--server-side", "-f", kubectl.file(WEB))
    assert (await document(kubectl, "is", "web"))["metadata"]["labels"] == {"app": "web"}


@pytest.mark.parametrize("mode", [(), ("--server-side",)], ids=["client-side", "server-side"])
async def test_diff(kubectl: Kubectl, mode: tuple[str, ...]) -> None:
    """Says what an apply would do, and does not do it: 0 is nothing, 1 is something."""
    path = kubectl.file(WEB)
    new = await kubectl("diff", *mode, "-f", path)
    assert new.code == 1
    assert "+kind: ImageStream" in new.out
    await kubectl.ok("apply", *mode, "-f", path)
    before = await version(kubectl, "is", "web")
    assert (await kubectl.ok("diff", *mode, "-f", path)).out == ""
    changed = await kubectl("diff", *mode, "-f", kubectl.file(labelled(app="other")))
    assert changed.code == 1, changed
    assert "-    app: web\n+    app: other\n" in changed.out
    assert await version(kubectl, "is", "web") == before


async def test_edit(kubectl: Kubectl) -> None:
    await kubectl.ok("create", "-f", kubectl.file(WEB))
    edited = await kubectl.ok("edit", "is", "web", KUBE_EDITOR="sed -i s/base:1/base:9/")
    assert edited.out.endswith("/web edited\n")
    assert (await document(kubectl, "is", "web"))["spec"]["tags"][0]["from"]["name"] == "quay.io/team/base:9"
    unchanged = await kubectl.ok("edit", "is", "web", KUBE_EDITOR="true")
    assert "Edit cancelled, no changes made" in unchanged.err
    tag = await kubectl.ok("edit", "itag", "web:base", KUBE_EDITOR="true")
    assert "Edit cancelled" in tag.err


async def test_replace(kubectl: Kubectl) -> None:
    assert "not found" in await kubectl.fails("replace", "-f", kubectl.file(WEB))
    await kubectl.ok("create", "-f", kubectl.file(WEB))
    old = await document(kubectl, "is", "web")
    assert (await kubectl.ok("replace", "-f", kubectl.file(labelled(app="new")))).out.endswith("/web replaced\n")
    stale = kubectl.file({**WEB, "metadata": {"name": "web", "resourceVersion": old["metadata"]["resourceVersion"]}})
    message = await kubectl.fails("replace", "-f", stale)
    assert "the object has been modified; please apply your changes to the latest version" in message
    await kubectl.ok("replace", "--force", "-f", kubectl.file(WEB))
    assert (await document(kubectl, "is", "web"))["metadata"]["uid"] != old["metadata"]["uid"]


async def test_patches(kubectl: Kubectl) -> None:
    await kubectl.ok("create", "-f", kubectl.file(WEB))
    patch = ("patch", "is", "web")
    await kubectl.ok(*patch, "--type=merge", "-p", '{"metadata":{"labels":{"app":null,"merge":"1"}}}')
    await kubectl.ok(*patch, "--type=json", "-p", '[{"op":"add","path":"/metadata/labels/json","value":"2"}]')
    tag = '{"spec":{"tags":[{"name":"more","reference":true,"from":{"kind":"DockerImage","name":"quay.io/x/y:1"}}]}}'
    await kubectl.ok(*patch, "-p", tag)
    stream = await document(kubectl, "is", "web")
    assert stream["metadata"]["labels"] == {"merge": "1", "json": "2"}
    assert [tag["name"] for tag in stream["spec"]["tags"]] == ["base", "more"]
    assert "no change" in (await kubectl.ok(*patch, "-p", tag)).out
    # The kinds of the group are also known without their group, from old days.
    assert "no change" in (await kubectl.ok(*patch, "--type=merge", "-p", '{"apiVersion":"v1"}')).out
    message = await kubectl.fails(*patch, "--type=json", "-p", '[{"op":"test","path":"/kind","value":"Pod"}]')
    assert "the server rejected our request due to an error in our request" in message
    status = '{"status":{"tags":[]}}'
    await kubectl.ok(*patch, "--subresource=status", "--type=merge", "-p", status)
    assert "tags" not in (await document(kubectl, "is", "web"))["status"]


async def test_labels_and_annotations(kubectl: Kubectl) -> None:
    await kubectl.ok("create", "-f", kubectl.file(WEB))
    await kubectl.ok("label", "is", "web", "tier=front", "app-")
    await kubectl.ok("annotate", "is", "web", "note=by hand")
    metadata = (await document(kubectl, "is", "web"))["metadata"]
    assert (metadata["labels"], metadata["annotations"]) == ({"tier": "front"}, {"note": "by hand"})
    assert "--overwrite is false" in await kubectl.fails("label", "is", "web", "tier=back")
    await kubectl.ok("label", "is", "-l", "tier=front", "tier=back", "--overwrite")
    assert "a valid label must be" in await kubectl.fails("label", "is", "web", "tier=not valid")


async def test_tags_are_objects_of_their_own(kubectl: Kubectl) -> None:
    """An imagestreamtag makes its stream, can be moved and annotated, and goes without it."""
    created = await kubectl.ok("create", "-f", kubectl.file(istag("app:v1", "quay.io/team/app:1")))
    assert created.out == "imagestreamtag.image.openshift.io/app:v1 created\n"
    # A tag without an image is no imagestreamtag to read, and kubectl reads what it patches.
    assert "not found" in await kubectl.fails("patch", "istag", "app:v1", "--type=merge", "-p", "{}")
    move = '{"spec":{"from":{"name":"quay.io/team/app:2"}}}'
    await kubectl.ok("patch", "itag", "app:v1", "--type=merge", "-p", move)
    history = (await document(kubectl, "itag", "app:v1"))["status"]["items"]
    assert [item["dockerImageReference"] for item in history] == ["quay.io/team/app:2"]
    image_tag = {
        "apiVersion": API_VERSION,
        "kind": "ImageTag",
        "metadata": {"name": "app:v2"},
        "spec": reference_tag("v2", "quay.io/team/app:3"),
    }
    await kubectl.ok("create", "-f", kubectl.file(image_tag))
    await kubectl.ok("patch", "itag", "app:v2", "--type=merge", "-p", '{"spec":{"annotations":{"a":"b"}}}')
    assert (await document(kubectl, "itag", "app:v2"))["spec"]["annotations"] == {"a": "b"}
    assert "already exists" in await kubectl.fails("create", "-f", kubectl.file(image_tag))
    deleted = await kubectl.ok("delete", "istag", "app:v1")
    assert deleted.out == 'imagestreamtag.image.openshift.io "app:v1" deleted\n'
    assert [tag["name"] for tag in (await document(kubectl, "is", "app"))["spec"]["tags"]] == ["v2"]
    assert "not found" in await kubectl.fails("delete", "itag", "app:v1")
    await kubectl.ok("delete", "itag", "app:v2")
    assert "tags" not in (await document(kubectl, "is", "app"))["spec"]


async def test_apply_of_a_tag(kubectl: Kubectl) -> None:
    """A tag that has an image can be applied like anything else."""
    await kubectl.ok("create", "-f", kubectl.file(imagestream("app")))
    images = [docker_image(kubectl.namespace), oci_image(kubectl.namespace)]
    for image in images:
        await kubectl.ok("create", "-f", kubectl.file(image.mapping("app", "pushed")))
    said = []
    for image in (images[0], images[0], images[0], images[1]):
        tag = {"name": "stable", "from": {"kind": "ImageStreamImage", "name": f"app@{image.digest}"}}
        document = {"apiVersion": API_VERSION, "kind": "ImageStreamTag", "metadata": {"name": "app:stable"}, "tag": tag}
        said.append((await kubectl.ok("apply", "-f", kubectl.file(document))).out.split()[-1])
    # A create loses the annotation in which kubectl keeps what it applied; the next apply brings it back.
    assert said == ["created", "configured", "unchanged", "configured"]
    items = (await kubectl.ok("get", "itag", "app:stable", "-o", "json")).document["status"]["items"]
    assert [item["image"] for item in items] == [images[1].digest, images[0].digest]


async def test_a_push_moves_a_tag(kubectl: Kubectl) -> None:
    """What an image registry does, by hand. The tag that follows the pushed one moves with it."""
    stream = imagestream("app", {"name": "stable", "from": {"kind": "ImageStreamTag", "name": "v1"}})
    await kubectl.ok("create", "-f", kubectl.file(stream))
    for image in (docker_image(kubectl.namespace), oci_image(kubectl.namespace)):
        await kubectl.ok("create", "-f", kubectl.file(image.mapping("app", "v1")))
        for tag in ("app:v1", "app:stable"):
            assert (await document(kubectl, "istag", tag))["image"]["metadata"]["name"] == image.digest
    await kubectl.ok("annotate", "istag", "app:stable", "why=release")
    assert (await document(kubectl, "istag", "app:stable"))["metadata"]["annotations"] == {"why": "release"}
    assert "is not a spec tag" in await kubectl.fails("annotate", "istag", "app:v1", "why=release")
    # What cannot be patched, kubectl checks itself, by the description of the API.
    misspelt = {**docker_image("x").mapping("app", "v1"), "tagg": "v1"}
    assert 'unknown field "tagg"' in await kubectl.fails("create", "-f", kubectl.file(misspelt))


async def test_deletions(kubectl: Kubectl) -> None:
    streams = [imagestream(f"s{number}", labels={"odd": str(number % 2)}) for number in range(5)]
    await kubectl.ok("create", "-f", kubectl.file(*streams))
    assert (await kubectl.ok("delete", "is", "s0", "--wait")).out == 'imagestream.image.openshift.io "s0" deleted\n'
    assert "not found" in await kubectl.fails("delete", "is", "s0")
    assert (await kubectl.ok("delete", "is", "s0", "--ignore-not-found")).out == ""
    await kubectl.ok("delete", "is", "-l", "odd=1")
    listed = await kubectl.ok("get", "is", "-o", "name")
    assert [line[-2:] for line in listed.out.split()] == ["s2", "s4"]
    await kubectl.ok("delete", "is", "s2", "--dry-run=server")
    await kubectl.ok("delete", "-f", kubectl.file(streams[2], streams[4]), "--cascade=background")
    assert (await kubectl.ok("get", "is", "-o", "name")).out == ""


async def test_a_finalizer_holds_a_deletion(kubectl: Kubectl) -> None:
    """`--cascade=orphan` leaves one for a garbage collector, which we are not; taking it away ends the deletion."""
    await kubectl.ok("create", "-f", kubectl.file(WEB))
    await kubectl.ok("delete", "is", "web", "--cascade=orphan", "--wait=false")
    held = (await document(kubectl, "is", "web"))["metadata"]
    assert held["finalizers"] == ["orphan"]
    assert held["deletionTimestamp"]
    await kubectl.ok("patch", "is", "web", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    assert "not found" in await kubectl.fails("get", "is", "web")


async def test_wait(kubectl: Kubectl) -> None:
    await kubectl.ok("create", "-f", kubectl.file(WEB))
    await kubectl.ok("wait", "is", "web", "--for=jsonpath={.spec.tags[0].name}=base", "--timeout=20s")
    tag = "--for=jsonpath={.spec.from.name}=quay.io/team/base:2"
    async with kubectl.lines("wait", "itag", "web:base", tag, "--timeout=50s") as lines:
        moved = imagestream("web", reference_tag("base", "quay.io/team/base:2"))
        await kubectl.ok("replace", "-f", kubectl.file(moved))
        assert await anext(lines) == "imagetag.image.openshift.io/web:base condition met"
    # Well ended is all that can be said of it: it says so only if it came before the end.
    async with asyncio.TaskGroup() as group:
        group.create_task(kubectl.ok("wait", "is", "web", "--for=delete", "--timeout=50s"))
        group.create_task(kubectl.ok("delete", "is", "web"))
    late = await kubectl.fails("wait", "is", "web", "--for=jsonpath={.metadata.name}=web", "--timeout=1s")
    assert 'imagestreams.image.openshift.io "web" not found' in late
