"""What an operator sees of the requests: by verb and resource once they are known to be served, never as guessed."""

from __future__ import annotations

from tests.integration.http.client import Client

STREAMS = "/apis/image.openshift.io/v1/namespaces/team/imagestreams"


async def test_requests_are_counted_by_what_they_ask(client: Client) -> None:
    await client.ask("GET", f"{STREAMS}/absent")
    await client.ask("GET", f"{STREAMS}/absent", user="eve")
    await client.ask("GET", "/apis/image.openshift.io/v1/namespaces/team/guesses/absent")
    answer = await client.ask("GET", "/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
    text = answer.body.decode()
    counted = {line for line in text.splitlines() if line.startswith("taghistory_http_requests_total")}
    assert counted == {
        'taghistory_http_requests_total{code="404",resource="imagestreams",verb="get"} 1.0',
        'taghistory_http_requests_total{code="403",resource="",verb=""} 1.0',
        'taghistory_http_requests_total{code="404",resource="",verb=""} 1.0',
    }
    assert (await client.ask("GET", "/metrics/")).status == 404
