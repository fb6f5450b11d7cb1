"""Requests that are broken before their body begins: broken HTTP, odd paths and methods, wrong parameters, nobody.

Each is answered with a Status that says what is wrong, or, below HTTP, with the end of the connection.
"""

from __future__ import annotations

import base64
import json

import pytest

from tests.acceptance.api import GROUP, Answer, api_of, imagestream, reference_tag
from tests.acceptance.quiet import Quiet
from tests.acceptance.wire import request_of, status_of, wire_to

STREAMS = f"{GROUP}/imagestreams"

NO_HTTP = {
    "garbage": (b"GARBAGE\r\n\r\n", 400),
    "a request line of bytes": (bytes(range(128, 256)) + b"\r\n\r\n", 400),
    "another protocol": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "a version that never was": (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", 400),
    "a method that is none": (b"FETCH / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a path of bytes": (b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a header without a name": (b"GET / HTTP/1.1\r\n: x\r\n\r\n", 400),
    "a header with a NUL": (b"GET / HTTP/1.1\r\nHost: x\0y\r\n\r\n", 400),
    "a folded header": (b"GET / HTTP/1.1\r\nHost: x\r\n y\r\n\r\n", 400),
    "a header of 100 kB": (b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", 431),
    "a path of 100 kB": (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", 431),
    "1,000 headers": (b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(1_000)) + b"\r\n", 431),
    "a length that is no number": (b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n", 400),
    "a length below nothing": (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
    "two lengths": (b"POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
    "a length and chunks": (
        b"POST / HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
}

PATHS = {
    "up and away": ("/../../etc/passwd", 404),
    "up and away, escaped": ("/%2e%2e/%2e%2e/etc/passwd", 404),
    "up from a resource": (f"{GROUP}/namespaces/x/imagestreams/../../../../../etc/passwd", 404),
    "an escaped slash": (f"{GROUP}/namespaces/x/imagestreams/a%2fb", 404),
    "a NUL": (f"{GROUP}/namespaces/x/imagestreams/a%00b", 400),
    "a namespace of NUL": (f"{GROUP}/namespaces/%00/imagestreams", 400),
    "no such resource": (f"{GROUP}/namespaces/x/pods", 404),
    "no such version": ("/apis/image.openshift.io/v9/imagestreams", 404),
    "no such group": ("/apis/apps/v1/deployments", 404),
    "no such subresource": (f"{GROUP}/namespaces/x/imagestreams/web/nosuch", 404),
    "a single tag without a namespace": (f"{GROUP}/imagestreamtags/web:v1", 404),
    "an image in a namespace": (f"{GROUP}/namespaces/x/images", 404),
    "a tag without its stream": (f"{GROUP}/namespaces/x/imagestreamtags/web", 400),
    "a name of 3,000 letters": (f"{GROUP}/namespaces/x/imagestreams/{'a' * 3_000}", 404),
    "broken escapes": (f"{GROUP}/namespaces/x/imagestreams/%zz", 404),
    "no UTF-8": (f"{GROUP}/namespaces/x/imagestreams/%ff", 404),
}

NUL_KEY = "a\0b"


def token(**fields: object) -> str:
    document = {"v": "meta.k8s.io/v1", "rv": 1, "start": "a\0", **fields}
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


QUERIES = {
    "a limit that is no number": ("limit=many", 400),
    "a limit beyond 64 bits": ("limit=99999999999999999999", 400),
    "a token that is none": ("continue=made-up", 400),
    "a token of bytes": ("continue=%00", 400),
    "a token with a NUL": (f"continue={token(start=NUL_KEY)}", 400),
    "a token that goes up": (f"continue={token(start='../x')}", 400),
    "a token of another version": (f"continue={token(v='v9')}", 400),
    "a token without a position": (f"continue={token(rv=0)}", 400),
    "a token of wrong types": (f"continue={token(start=5)}", 400),
    "a token and a version": (f"continue={token()}&resourceVersion=5", 400),
    "a selector of brackets": ("labelSelector=((", 400),
    "a selector of an odd key": ("labelSelector=%25%25", 400),
    "a selector without end": (f"labelSelector={'a,' * 3_000}", 400),
    "an unknown field": ("fieldSelector=spec.tags%3Dx", 400),
    "a field without a value": ("fieldSelector=metadata.name", 400),
    "a version that is no number": ("resourceVersion=new", 400),
    "a version below nothing": ("resourceVersion=-1", 400),
    "a version beyond 64 bits": ("resourceVersion=99999999999999999999999", 400),
    "a match without a version": ("resourceVersionMatch=Exact", 422),
    "a match that is none": ("resourceVersion=1&resourceVersionMatch=Nearly", 422),
    "a watch of no duration": ("watch=1&timeoutSeconds=soon", 400),
    "a watch that contradicts itself": ("watch=1&sendInitialEvents=true", 422),
    "a time limit that is none": ("timeout=soon", 400),
    "a thousand parameters and more": ("&".join(f"p{n}=1" for n in range(1_001)), 400),
}
REASONS = {400: "BadRequest", 401: "Unauthorized", 404: "NotFound", 405: "MethodNotAllowed", 422: "Invalid", 431: ""}


@pytest.mark.parametrize(("data", "code"), NO_HTTP.values(), ids=NO_HTTP)
async def test_what_is_no_http(quiet: Quiet, data: bytes, code: int) -> None:
    """Answered without a token, for there is nothing to read one from, and then the connection ends."""
    async with wire_to(quiet.entrance) as wire:
        await wire.send(data)
        answer = await wire.receive_all()
    assert status_of(answer) == code
    status = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert (status["kind"], status["code"], status.get("reason", "")) == ("Status", code, REASONS[code])


async def test_chunks_that_are_none(quiet: Quiet) -> None:
    target = f"{GROUP}/{quiet.streams}"
    async with wire_to(quiet.entrance) as wire:
        await wire.send(request_of(quiet.entrance, "POST", target, b"Transfer-Encoding: chunked", body=b"zz\r\n{}\r\n"))
        assert status_of(await wire.receive_all()) == 400


async def test_what_is_no_tls(quiet: Quiet) -> None:
    """Plain HTTP, noise, and noise in the middle of a connection: the connection ends, and that is all."""
    async with wire_to(quiet.entrance) as wire:
        await wire.send_unencrypted(b"\x17\x03\x03\x00\x10" + bytes(16) + b"noise")
        assert await wire.receive_all() == b""
    for noise in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", bytes(range(256)), b"\x16\x03\x01\xff\xff" + bytes(1_000)):
        async with wire_to(quiet.entrance, handshake=False) as wire:
            await wire.send_unencrypted(noise)
            wire.half_close()
            assert b"HTTP/1.1 2" not in await wire.receive_unencrypted()


@pytest.mark.parametrize(("path", "code"), PATHS.values(), ids=PATHS)
async def test_odd_paths(quiet: Quiet, path: str, code: int) -> None:
    answer = await quiet.api.request("GET", path)
    assert answer.status == code
    if "etc/passwd" in path and "apis" not in path:
        assert list(answer.document) == ["paths"]
    else:
        answer.refused(code, REASONS[code])


@pytest.mark.parametrize("wrong", ["Upper", "under_score", "a" * 64, "-dash", "..", "%ff"])
async def test_namespaces_against_the_rules(quiet: Quiet, wrong: str) -> None:
    """They are not there, so nothing can be created in them, and nothing is found in them."""
    path = f"{GROUP}/namespaces/{wrong}/imagestreams"
    status = (await quiet.api.request("POST", path, imagestream("x"))).refused(404, "NotFound")
    assert status["details"]["kind"] == "namespaces"
    tag = {"metadata": {"name": "web:v1"}, "tag": reference_tag("v1", "quay.io/team/web:1")}
    (await quiet.api.request("PUT", f"{path[:-1]}tags/web:v1", tag)).refused(404, "NotFound")
    assert (await quiet.api.request("GET", path)).ok()["items"] == []


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PROPFIND", "HEAD"])
@pytest.mark.parametrize("name", ["", "/web"], ids=["collection", "object"])
async def test_other_methods(quiet: Quiet, method: str, name: str) -> None:
    answer = await quiet.api.request(method, f"{GROUP}/{quiet.streams}{name}")
    assert answer.status == 405
    assert method == "HEAD" or answer.refused(405, "MethodNotAllowed")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "imagestreams"),
        ("POST", "imagetags"),
        ("DELETE", "imagestreams"),
        ("PUT", "namespaces/x/imagestreams"),
        ("POST", "namespaces/x/imagestreams/web"),
        ("DELETE", "namespaces/x/imagestreamtags"),
        ("GET", "namespaces/x/imagestreammappings"),
        ("PUT", "namespaces/x/imagestreamimages/web@sha256:1"),
    ],
)
async def test_methods_that_a_resource_has_not(quiet: Quiet, method: str, path: str) -> None:
    (await quiet.api.request(method, f"{GROUP}/{path}", b"{}")).refused(405, "MethodNotAllowed")


@pytest.mark.parametrize("target", ["*", "example.com:443"])
async def test_targets_that_are_no_path(quiet: Quiet, target: str) -> None:
    method = "OPTIONS" if target == "*" else "CONNECT"
    async with wire_to(quiet.entrance) as wire:
        await wire.send(request_of(quiet.entrance, method, target, b"Connection: close"))
        assert status_of(await wire.receive_until(b"\r\n\r\n")) in (400, 404, 405)


@pytest.mark.parametrize(("query", "code"), QUERIES.values(), ids=QUERIES)
async def test_parameters_that_make_no_sense(quiet: Quiet, query: str, code: int) -> None:
    answer = await raw_query(quiet, STREAMS, query)
    answer.refused(code, REASONS[code])


async def raw_query(quiet: Quiet, path: str, query: str) -> Answer:
    return await quiet.api.request("GET", f"{path}?{query}")


async def test_versions_that_are_yet_to_come(quiet: Quiet) -> None:
    """Waited for, for a while, and then told to be too large."""
    status = (await quiet.api.get("imagestreams", resourceVersion=10**15)).refused(504, "Timeout")
    assert status["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


async def test_a_token_that_has_lost_its_snapshot(quiet: Quiet) -> None:
    """Below 0 it means the rest of the newest list, as clients know it from servers that forget."""
    page = (await quiet.api.get(quiet.streams, **{"continue": token(rv=-1, start="/a\0")})).ok()
    assert [item["metadata"]["name"] for item in page["items"]] == ["web"]
    assert int(page["metadata"]["resourceVersion"]) > 0


CREDENTIALS = {
    "none": None,
    "an unknown token": b"Bearer guessed",
    "an empty token": b"Bearer ",
    "a token of bytes": b"Bearer \xff\xfe",
    "a token of 10 kB": b"Bearer " + b"a" * 10_000,
    "a password": b"Basic YWRtaW46YWRtaW4=",
    "another scheme": b"Negotiate abc",
}


@pytest.mark.parametrize("credentials", CREDENTIALS.values(), ids=CREDENTIALS)
async def test_nobody(quiet: Quiet, credentials: bytes | None) -> None:
    """Without a valid token nothing is told, not even what there is."""
    header = [b"Authorization: " + credentials] if credentials is not None else []
    body = json.dumps(imagestream("x")).encode()
    length = b"Content-Length: %d" % len(body)
    for method, path in (("GET", "/"), ("GET", STREAMS), ("GET", "/nosuch"), ("POST", f"{GROUP}/{quiet.streams}")):
        async with wire_to(quiet.entrance) as wire:
            head = [b"Connection: close", *header, *([length] if method == "POST" else [])]
            sent = body if method == "POST" else b""
            await wire.send(request_of(quiet.entrance, method, path, *head, body=sent, user=None))
            answer = await wire.receive_all()
        assert status_of(answer) == 401
        status = json.loads(answer.partition(b"\r\n\r\n")[2])
        assert (status["reason"], status["message"], status["code"]) == ("Unauthorized", "Unauthorized", 401)


async def test_a_viewer_before_anything_else(quiet: Quiet) -> None:
    """Who may not write is told so, however wrong the request is beside that."""
    async with api_of(quiet.entrance, "viewer") as viewer:
        (await viewer.create(quiet.streams, b"{")).refused(403, "Forbidden")
        (await viewer.request("PUT", f"{GROUP}/{quiet.streams}/nosuch", b"")).refused(403, "Forbidden")
        (await viewer.patch(f"{quiet.streams}/web", b"", "no/type")).refused(403, "Forbidden")


async def test_headers_that_are_no_text(quiet: Quiet) -> None:
    """Bytes that are no UTF-8 are no reason to refuse a write; they are noted as far as they can be."""
    body = json.dumps(imagestream("bytes")).encode()
    odd = [b"User-Agent: \xff\xfe", b"X-Tag-History-Reason: \xff", b"Audit-Id: \xff", b"Content-Length: %d" % len(body)]
    async with wire_to(quiet.entrance) as wire:
        target = f"{GROUP}/{quiet.streams}"
        await wire.send(request_of(quiet.entrance, "POST", target, *odd, b"Connection: close", body=body))
        assert status_of(await wire.receive_all()) == 201
    await quiet.appended()


@pytest.mark.parametrize(
    "accept", ["text/html", "application/*", "image/png", "\xff", "application/json;as=Nothing;q=1"]
)
async def test_answers_in_no_known_form(quiet: Quiet, accept: str) -> None:
    """Refused before anything is done."""
    path = f"{GROUP}/{quiet.streams}"
    (await quiet.api.request("GET", path, headers={"Accept": accept})).refused(406, "NotAcceptable")
    body = imagestream("unseen")
    (await quiet.api.request("POST", path, body, {"Accept": accept})).refused(406, "NotAcceptable")
