"""Credentials of registries through kubectl: made as its users make them, seen by those who may, at every process."""

from __future__ import annotations

import base64
import json

from tests.acceptance.api import GROUP, Api
from tests.acceptance.kubectl import Kubectl

PASSWORD = "hunter2-is-the-password"


async def test_credentials_of_a_registry_from_creation_to_deletion(kubectl: Kubectl) -> None:
    login = ("--docker-server=r.example", "--docker-username=u", f"--docker-password={PASSWORD}")
    created = await kubectl.ok("create", "secret", "docker-registry", "pull", *login)
    assert created.out == "secret/pull created\n"
    rows = (await kubectl.ok("get", "secrets")).rows
    assert rows[0] == ["NAME", "TYPE", "DATA", "AGE"]
    assert rows[1][:3] == ["pull", "kubernetes.io/dockerconfigjson", "1"]
    stored = (await kubectl.ok("get", "secret", "pull", "-o", "json")).document
    config = json.loads(base64.b64decode(stored["data"][".dockerconfigjson"]))
    assert config["auths"]["r.example"]["password"] == PASSWORD
    of_stream = f"{GROUP}/namespaces/{kubectl.namespace}/imagestreams/any/secrets"
    found = (await kubectl.ok("get", "--raw", of_stream)).document
    assert [item["data"] for item in found["items"]] == [stored["data"]]
    assert (await kubectl.ok("delete", "secret", "pull")).out.startswith('secret "pull" deleted')
    assert (await kubectl.ok("get", "secrets", "-o", "name")).out == ""


async def test_what_is_applied_is_changed_in_place(kubectl: Kubectl) -> None:
    for flags in ((), ("--server-side",)):
        for text in ("one", "two"):
            secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"s{len(flags)}"}}
            applied = kubectl.file({**secret, "stringData": {"p": text}})
            await kubectl.ok("apply", *flags, "-f", applied)
        stored = (await kubectl.ok("get", "secret", f"s{len(flags)}", "-o", "json")).document
        assert stored["data"] == {"p": base64.b64encode(b"two").decode()}


async def test_a_viewer_sees_no_secrets(kubectl: Kubectl) -> None:
    await kubectl.ok("create", "secret", "generic", "plain", f"--from-literal=p={PASSWORD}")
    message = await kubectl.as_user("viewer").fails("get", "secrets")
    assert 'User "viewer" cannot list resource "secrets" in API group ""' in message


async def test_kubectl_explains_them(kubectl: Kubectl) -> None:
    assert "base64 by key" in (await kubectl.ok("explain", "secret.data")).out


async def test_what_one_process_stores_the_other_shows(workers: list[Api], namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/secrets"
    for number in range(10):
        writer, reader = workers[number % 2], workers[(number + 1) % 2]
        body = {"metadata": {"name": f"s{number}"}, "stringData": {"p": "x"}}
        created = (await writer.request("POST", path, body)).ok()
        assert (await reader.request("GET", f"{path}/s{number}")).ok() == created
        listed = (await reader.request("GET", path)).ok()
        assert [item["metadata"] for item in listed["items"]] == [created["metadata"]]
        assert int(listed["metadata"]["resourceVersion"]) >= int(created["metadata"]["resourceVersion"])
        (await writer.request("DELETE", f"{path}/s{number}")).ok()
        (await reader.request("GET", f"{path}/s{number}")).refused(404, "NotFound")
