"""Two users through kubectl: the administrator may do everything, the viewer may look at everything."""

from __future__ import annotations

import pytest

from tests.acceptance.api import imagestream, reference_tag
from tests.acceptance.kubectl import Kubectl

WEB = imagestream("web", reference_tag("base", "quay.io/team/base:1"))


@pytest.fixture
async def viewer(kubectl: Kubectl) -> Kubectl:
    """Somebody who may only look, where there is something to see."""
    await kubectl.ok("create", "-f", kubectl.file(WEB))
    return kubectl.as_user("viewer")


async def test_a_viewer_sees_everything(viewer: Kubectl) -> None:
    """Everything that is in a namespace, that is, as with the role `view` of a cluster."""
    for resource in ("imagestreams", "imagestreamtags", "imagetags"):
        await viewer.ok("get", resource)
    assert await viewer.fails("get", "images") == (
        'Error from server (Forbidden): images.image.openshift.io is forbidden: User "viewer" cannot list resource '
        '"images" in API group "image.openshift.io" at the cluster scope\n'
    )
    assert (await viewer.ok("get", "is", "web", "-o", "name")).out == "imagestream.image.openshift.io/web\n"
    assert (await viewer.ok("get", "is", "-A", "-o", "name")).out
    assert (await viewer.ok("explain", "is")).out
    async with viewer.lines("get", "itag", "-w", "--no-headers") as lines:
        assert (await anext(lines)).split()[:2] == ["web:base", "Ref"]


@pytest.mark.parametrize(
    ("arguments", "verb", "name"),
    [
        (("delete", "is", "web"), "delete", "web"),
        (("label", "is", "web", "a=b"), "patch", "web"),
        (("patch", "is", "web", "-p", '{"spec":{"tags":[]}}'), "patch", "web"),
        (("patch", "is", "web", "--type=merge", "-p", "{}"), "patch", "web"),
        (("delete", "is", "--all"), "delete", "web"),
    ],
)
async def test_a_viewer_changes_nothing(viewer: Kubectl, arguments: tuple[str, ...], verb: str, name: str) -> None:
    message = await viewer.fails(*arguments)
    expected = (
        f'Error from server (Forbidden): imagestreams.image.openshift.io "{name}" is forbidden: User "viewer" cannot '
        f'{verb} resource "imagestreams" in API group "image.openshift.io" in the namespace "{viewer.namespace}"'
    )
    assert expected in message
    assert (await viewer.ok("get", "is", "web", "-o", "jsonpath={.spec.tags[*].name}")).out == "base"


async def test_a_viewer_creates_nothing(viewer: Kubectl) -> None:
    message = await viewer.fails("create", "-f", viewer.file(imagestream("mine")))
    assert 'User "viewer" cannot create resource "imagestreams" in API group "image.openshift.io"' in message
    message = await viewer.fails("apply", "--server-side", "-f", viewer.file(imagestream("mine")))
    assert 'imagestreams.image.openshift.io "mine" is forbidden: User "viewer" cannot patch' in message
    assert (await viewer.ok("get", "is", "-o", "name")).out.split() == ["imagestream.image.openshift.io/web"]


async def test_a_wrong_token_opens_nothing(viewer: Kubectl) -> None:
    message = await viewer.fails("get", "is", "--token=guessed")
    assert "You must be logged in to the server" in message


async def test_users_can_ask_who_they_are_and_what_they_may(viewer: Kubectl, kubectl: Kubectl) -> None:
    asked = await viewer.ok("auth", "whoami", "-o", "json")
    assert asked.document["status"]["userInfo"]["groups"] == ["viewers", "system:authenticated"]
    assert (await viewer.ok("auth", "can-i", "get", "imagestreams")).out == "yes\n"
    assert (await viewer("auth", "can-i", "create", "imagestreams")).out == "no\n"
    assert (await kubectl.ok("auth", "can-i", "delete", "images")).out.endswith("yes\n")
    allowed = await viewer.ok("auth", "can-i", "--list", "--no-headers")
    assert ["imagestreams.image.openshift.io", "[]", "[]", "[get", "list", "watch]"] in allowed.rows
