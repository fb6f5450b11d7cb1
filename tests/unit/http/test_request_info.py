"""What a request is about, from its method and target alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.errors import BadRequest
from service.http.query import PARAMETERS_LIMIT
from service.http.request_info import parse_request

G = "/apis/image.openshift.io/v1"


@pytest.mark.parametrize(
    ("method", "target", "verb", "namespace", "resource", "name", "subresource"),
    [
        ("GET", f"{G}/imagestreams", "list", "", "imagestreams", "", ""),
        ("GET", f"{G}/namespaces/ns1/imagestreams", "list", "ns1", "imagestreams", "", ""),
        ("GET", f"{G}/namespaces/ns1/imagestreams/a", "get", "ns1", "imagestreams", "a", ""),
        ("HEAD", f"{G}/namespaces/ns1/imagestreams/a", "get", "ns1", "imagestreams", "a", ""),
        ("POST", f"{G}/namespaces/ns1/imagestreams", "create", "ns1", "imagestreams", "", ""),
        ("PUT", f"{G}/namespaces/ns1/imagestreams/a/status", "update", "ns1", "imagestreams", "a", "status"),
        ("PATCH", f"{G}/namespaces/ns1/imagestreamtags/a:b", "patch", "ns1", "imagestreamtags", "a:b", ""),
        ("DELETE", f"{G}/images/sha256:1", "delete", "", "images", "sha256:1", ""),
        ("DELETE", f"{G}/images", "deletecollection", "", "images", "", ""),
        ("GET", f"{G}/images?watch", "watch", "", "images", "", ""),
        ("GET", f"{G}/images?watch=", "watch", "", "images", "", ""),
        ("GET", f"{G}/images?watch=junk", "watch", "", "images", "", ""),
        ("GET", f"{G}/images?watch=0", "list", "", "images", "", ""),
        ("GET", f"{G}/images?watch=False", "list", "", "images", "", ""),
        ("GET", f"{G}/images/a?watch=1", "get", "", "images", "a", ""),
        ("OPTIONS", f"{G}/images", "", "", "images", "", ""),
        ("GET", f"{G}/namespaces", "list", "", "namespaces", "", ""),
        ("GET", f"{G}/namespaces/ns1", "get", "ns1", "namespaces", "ns1", ""),
        ("GET", f"{G}/namespaces/ns1/status", "get", "ns1", "namespaces", "ns1", "status"),
        ("GET", "/api/v1/namespaces/ns1", "get", "ns1", "namespaces", "ns1", ""),
    ],
)
def test_a_path_of_a_resource(
    method: str, target: str, verb: str, namespace: str, resource: str, name: str, subresource: str
) -> None:
    info = parse_request(method, target)
    assert info.is_resource
    assert (info.verb, info.namespace, info.resource) == (verb, namespace, resource)
    assert (info.name, info.subresource, info.subpath) == (name, subresource, ())


@pytest.mark.parametrize(
    "target", ["/", "/apis", "/apis/", G, f"{G}/", "/version/", "/healthz?verbose", "/api", "/api/v1", "", "//"]
)
def test_a_path_that_is_no_resource(target: str) -> None:
    info = parse_request("POST", target)
    assert not info.is_resource
    assert info.verb == "post"
    assert info.attributes.path == info.path


def test_slashes_at_the_end_mean_nothing() -> None:
    assert parse_request("GET", f"{G}/images//").resource == "images"
    assert parse_request("GET", f"{G}/images/").verb == "list"


def test_escapes_are_decoded_once_and_before_the_path_is_cut() -> None:
    assert parse_request("GET", f"{G}/namespaces/ns1/imagestreamtags/a%3At1").name == "a:t1"
    assert parse_request("GET", f"{G}/images/a%252Fb").name == "a%2Fb"
    assert parse_request("GET", f"{G}/images/a%2Fb").subresource == "b"


def test_what_follows_a_subresource_is_kept_apart() -> None:
    assert parse_request("GET", f"{G}/images/a/b/c/d").subpath == ("c", "d")


@pytest.mark.parametrize("rest", ["imagestreams", "namespaces/ns1/imagestreams", "namespaces/ns1/imagestreams/a"])
def test_the_old_way_to_watch(rest: str) -> None:
    info = parse_request("GET", f"{G}/watch/{rest}")
    assert (info.verb, info.resource, info.watch_prefix) == ("watch", "imagestreams", True)


def test_a_watch_of_nothing_is_refused() -> None:
    with pytest.raises(BadRequest):
        parse_request("GET", f"{G}/watch")


@pytest.mark.parametrize(
    ("selector", "pinned"),
    [
        ("metadata.name%3Dw1", "w1"),
        ("metadata.name=w1,metadata.namespace=x", "w1"),
        ("metadata.name!=w1", ""),
        ("metadata.name=a%2Fb", ""),
        ("metadata.name=..", ""),
        ("metadata.name=a,junk", ""),
        ("metadata.namespace=x", ""),
    ],
)
def test_a_selected_name_counts_for_authorization(selector: str, pinned: str) -> None:
    info = parse_request("GET", f"{G}/namespaces/ns1/imagestreams?watch=true&fieldSelector={selector}")
    assert (info.verb, info.name, info.pinned_name, info.attributes.name) == ("watch", "", pinned, pinned)


def test_the_first_of_repeated_parameters_counts() -> None:
    assert parse_request("GET", f"{G}/images?watch=0&watch=1").verb == "list"


def test_absurdly_many_parameters_are_refused() -> None:
    with pytest.raises(BadRequest):
        parse_request("GET", f"{G}/images?{'a=1&' * (PARAMETERS_LIMIT + 1)}")


@given(st.sampled_from(["GET", "POST", "DELETE", "BREW"]), st.text(alphabet="/apiswtch%2Fé?=&.", max_size=40))
def test_any_target_is_understood_or_refused(method: str, target: str) -> None:
    try:
        info = parse_request(method, f"/{target}")
    except BadRequest:
        return
    assert info.is_resource == bool(info.version and info.resource is not None)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/api/v1/namespaces", True),
        ("/api/v1/namespaces/ns1", True),
        ("/api/v1/namespaces/ns1/status", True),
        (f"{G}/namespaces/ns1", False),
        (f"{G}/namespaces/ns1/imagestreams", False),
        (f"{G}/imagestreams", False),
    ],
)
def test_what_is_about_a_namespace_itself(target: str, expected: bool) -> None:
    assert parse_request("GET", target).is_namespace is expected
