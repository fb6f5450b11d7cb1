"""Namespaces and rights through kubectl: get, create, apply, label, delete, watch; auth whoami and auth can-i."""

from __future__ import annotations

import pytest

from tests.acceptance.api import imagestream, reference_tag
from tests.acceptance.kubectl import Kubectl

WEB = imagestream("web", reference_tag("base", "quay.io/team/base:1"))


async def test_a_namespace_from_its_creation_to_its_deletion(kubectl: Kubectl) -> None:
    name = kubectl.namespace
    assert (await kubectl.ok("create", "ns", name)).out == f"namespace/{name} created\n"
    shown = await kubectl.ok("get", "ns", name)
    assert shown.rows[0] == ["NAME", "STATUS", "AGE"]
    assert shown.rows[1][:2] == [name, "Active"]
    await kubectl.ok("label", "ns", name, "tier=test")
    assert (await kubectl.ok("get", "ns", "-l", f"tier=test,kubernetes.io/metadata.name={name}", "-o", "name")).out == (
        f"namespace/{name}\n"
    )
    assert (await kubectl.ok("delete", "ns", name)).out == f'namespace "{name}" deleted\n'
    assert await kubectl.fails("get", "ns", name) == f'Error from server (NotFound): namespaces "{name}" not found\n'


async def test_a_namespace_is_applied(kubectl: Kubectl) -> None:
    document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": kubectl.namespace}}
    file = kubectl.file(document)
    for said in ("created", "unchanged"):
        assert (await kubectl.ok("apply", "-f", file)).out == f"namespace/{kubectl.namespace} {said}\n"
    labelled = kubectl.file({**document, "metadata": {"name": kubectl.namespace, "labels": {"tier": "test"}}})
    assert (await kubectl.ok("apply", "--server-side", "-f", labelled)).out.endswith("serverside-applied\n")
    found = await kubectl.ok("get", "ns", kubectl.namespace, "-o", "jsonpath={.metadata.labels.tier}")
    assert found.out == "test"


async def test_using_a_namespace_creates_it_and_deleting_it_deletes_what_is_in_it(kubectl: Kubectl) -> None:
    assert "not found" in await kubectl.fails("get", "ns", kubectl.namespace)
    await kubectl.ok("create", "-f", kubectl.file(WEB))
    await kubectl.ok("get", "ns", kubectl.namespace)
    await kubectl.ok("delete", "ns", kubectl.namespace, "--wait")
    assert (await kubectl.ok("get", "is,istag,itag", "-o", "name")).out == ""


async def test_a_missing_object_in_a_namespace_that_is_there(kubectl: Kubectl) -> None:
    """kubectl asks for the namespace after a 404, and blames that if it is not there."""
    await kubectl.ok("create", "-f", kubectl.file(WEB))
    assert await kubectl.fails("get", "is", "nosuch") == (
        'Error from server (NotFound): imagestreams.image.openshift.io "nosuch" not found\n'
    )


async def test_namespaces_are_watched(kubectl: Kubectl) -> None:
    selector = f"kubernetes.io/metadata.name={kubectl.namespace}"
    await kubectl.ok("create", "ns", kubectl.namespace)
    async with kubectl.lines("get", "ns", "-l", selector, "-w", "--no-headers") as lines:
        assert (await anext(lines)).split()[:2] == [kubectl.namespace, "Active"]
        await kubectl.ok("delete", "ns", kubectl.namespace)
        assert (await anext(lines)).split()[:2] == [kubectl.namespace, "Terminating"]


async def test_who_am_i(kubectl: Kubectl) -> None:
    rows = (await kubectl.ok("auth", "whoami")).rows
    assert rows[0] == ["ATTRIBUTE", "VALUE"]
    assert ["Username", "admin"] in rows
    assert ["Username", "viewer"] in (await kubectl.as_user("viewer").ok("auth", "whoami")).rows
    as_jim = (await kubectl.ok("auth", "whoami", "--as=jim", "--as-group=team", "--as-uid=7")).rows
    assert as_jim[1:] == [["Username", "jim"], ["UID", "7"], ["Groups", "[team", "system:authenticated]"]]


@pytest.mark.parametrize(
    ("user", "arguments", "answer"),
    [
        ("admin", ("delete", "is"), "yes"),
        ("viewer", ("get", "is"), "yes"),
        ("viewer", ("delete", "is"), "no"),
        ("viewer", ("update", "is", "--subresource=status"), "no"),
        ("viewer", ("get", "/version"), "yes"),
        ("viewer", ("get", "/metrics"), "no"),
        ("admin", ("get", "is", "--as=jim"), "no"),
        ("admin", ("get", "is", "--as=jim", "--as-group=system:masters"), "yes"),
    ],
)
async def test_may_i(kubectl: Kubectl, user: str, arguments: tuple[str, ...], answer: str) -> None:
    """kubectl asks in protobuf, and tells by its exit code, too."""
    asked = await kubectl.as_user(user)("auth", "can-i", *arguments)
    assert (asked.out.split()[0], asked.code) == (answer, 0 if answer == "yes" else 1)


async def test_what_may_i(kubectl: Kubectl) -> None:
    rows = (await kubectl.as_user("viewer").ok("auth", "can-i", "--list")).rows
    assert ["imagestreams.image.openshift.io", "[]", "[]", "[get", "list", "watch]"] in rows
    assert ["selfsubjectreviews.authentication.k8s.io", "[]", "[]", "[create]"] in rows
    assert ["*.*", "[]", "[]", "[*]"] in (await kubectl.ok("auth", "can-i", "--list")).rows


async def test_a_viewer_may_not_be_somebody_else(kubectl: Kubectl) -> None:
    message = await kubectl.as_user("viewer").fails("get", "is", "--as=admin")
    assert 'users "admin" is forbidden: User "viewer" cannot impersonate resource "users"' in message


async def test_every_resource_is_listed(kubectl: Kubectl) -> None:
    rows = (await kubectl.ok("api-resources", "--no-headers")).rows
    assert ["namespaces", "ns", "v1", "false", "Namespace"] in rows
    assert ["imagestreams", "is", "image.openshift.io/v1", "true", "ImageStream"] in rows
    assert ["localsubjectaccessreviews", "authorization.k8s.io/v1", "true", "LocalSubjectAccessReview"] in rows


async def test_a_namespace_is_explained(kubectl: Kubectl) -> None:
    assert "Terminating while something holds back its deletion" in (await kubectl.ok("explain", "ns.status.phase")).out
