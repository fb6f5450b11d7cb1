"""Who is asking, and who acts as whom: over HTTP, and in the log."""

from __future__ import annotations

from tests.integration.http.client import IMAGES, Client

WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
MAY_I = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
STREAMS = f"{IMAGES}/namespaces/team/imagestreams"
AS_EVE = {"Impersonate-User": "eve"}


async def test_who_am_i(client: Client) -> None:
    review = (await client.ask("POST", WHOAMI, {}, user="ann")).ok(201)
    assert review["status"]["userInfo"] == {
        "username": "ann",
        "uid": "u-ann",
        "groups": ["developers", "system:authenticated"],
    }
    (await client.ask("POST", WHOAMI, {}, user=None)).refused(403, "Forbidden")


async def test_may_i_is_what_the_next_request_meets(client: Client) -> None:
    for namespace, allowed in [("team", True), ("other", False)]:
        what = {"namespace": namespace, "verb": "list", "group": "image.openshift.io", "resource": "imagestreams"}
        review = (await client.ask("POST", MAY_I, {"spec": {"resourceAttributes": what}}, user="ann")).ok(201)
        assert review["status"]["allowed"] is allowed
        answer = await client.ask("GET", f"{IMAGES}/namespaces/{namespace}/imagestreams", user="ann")
        assert (answer.status == 200) is allowed


async def test_who_acts_as_another_is_the_other(client: Client) -> None:
    assert (await client.ask("GET", STREAMS, user="ann")).status == 200
    refused = await client.ask("GET", STREAMS, user="ann", headers=AS_EVE)
    assert 'User "eve" cannot list' in refused.refused(403, "Forbidden")
    review = (await client.ask("POST", WHOAMI, {}, user="ann", headers=AS_EVE)).ok(201)
    assert review["status"]["userInfo"] == {"username": "eve", "groups": ["system:authenticated"]}


async def test_who_may_not_act_as_another_is_refused(client: Client) -> None:
    refused = await client.ask("GET", STREAMS, user="ann", headers={"Impersonate-User": "root"})
    assert refused.refused(403, "Forbidden") == (
        'users "root" is forbidden: User "ann" cannot impersonate resource "users" in API group "" at the cluster scope'
    )
    groups = {**AS_EVE, "Impersonate-Group": "system:masters"}
    assert 'groups "system:masters"' in (await client.ask("GET", STREAMS, user="ann", headers=groups)).refused(
        403, "Forbidden"
    )


async def test_the_log_remembers_both(client: Client) -> None:
    body = {"metadata": {"name": "web"}}
    as_ann = {"Impersonate-User": "ann", "Impersonate-Group": "developers"}
    (await client.ask("POST", STREAMS, body, headers=as_ann)).ok(201)
    (await client.ask("DELETE", f"{STREAMS}/web")).ok()
    told = {type_name: metadata for type_name, _, metadata in await client.logged()}
    created, deleted = told["ImageStreamCreated"], told["ImageStreamDeleted"]
    assert (created["actor"], created["impersonator"]) == ("ann", "root")
    assert created["groups"] == ["developers", "system:authenticated"]
    assert (deleted["actor"], "impersonator" in deleted) == ("root", False)
