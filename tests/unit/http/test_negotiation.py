"""Which form an answer takes, and which forms a body may have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.http.errors import NotAcceptable, UnsupportedMediaType
from service.http.negotiation import (
    FALLBACK,
    JSON,
    PROTOBUF,
    YAML,
    Negotiated,
    Offer,
    body_media_type,
    negotiate,
    negotiate_error,
    patch_media_type,
    wants_pretty,
)

ALL = (JSON, YAML, PROTOBUF)
COLLECTION = Offer(ALL, watchable=True, tables=True, partial=True)
PLAIN = Offer(ALL, partial=True)
META = "g=meta.k8s.io"
DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, Negotiated(JSON)),
        ("", Negotiated(JSON)),
        ("*/*", Negotiated(JSON)),
        ("application/json", Negotiated(JSON)),
        ("Application/JSON; charset=utf-8", Negotiated(JSON)),
        ("application/yaml", Negotiated(YAML)),
        ("application/json;q=0", Negotiated(JSON)),
        ("application/json;q=0.1,application/yaml;q=0.9", Negotiated(YAML)),
        ("*/*, application/yaml", Negotiated(YAML)),
        ("application/vnd.kubernetes.protobuf,application/json", Negotiated(PROTOBUF)),
        ("application/json;pretty=1", Negotiated(JSON, pretty=True)),
        ("application/yaml;pretty=1", Negotiated(YAML)),
        ("application/json;stream=watch", Negotiated(JSON)),
        ("application/json;export=1", Negotiated(JSON)),
        ("text/html, application/*, application/yaml;q=0.1", Negotiated(JSON)),
        (f"application/json;as=Table;v=v1;{META}", Negotiated(JSON, "Table", "v1")),
        (f"application/json;as=Table;v=v1beta1;{META}", Negotiated(JSON, "Table", "v1beta1")),
        (f"application/yaml;as=Table;v=v1;{META}", Negotiated(YAML, "Table", "v1")),
        (
            f"application/json;as=Table;v=v1;{META},application/json;as=Table;v=v1beta1;{META},application/json",
            Negotiated(JSON, "Table", "v1"),
        ),
        (f"application/json;as=Nope;v=v1;{META},application/json", Negotiated(JSON)),
        (
            f"application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;v=v1;{META},{JSON}",
            Negotiated(PROTOBUF, "PartialObjectMetadataList", "v1"),
        ),
        ("garbage, ;;=, a/b/c, */json, application/yaml", Negotiated(YAML)),
    ],
)
def test_the_first_clause_that_can_be_met_wins(accept: str | None, form: Negotiated) -> None:
    assert negotiate(accept, COLLECTION) == form


@pytest.mark.parametrize("accept", ["text/html", "text/*", "application/*", "garbage", "application/cbor"])
def test_the_router_lists_what_the_route_produces(accept: str) -> None:
    with pytest.raises(NotAcceptable) as refused:
        negotiate(accept, PLAIN)
    assert refused.value.from_router
    assert refused.value.message == f"406: Not Acceptable\n\nAvailable representations: {', '.join(ALL)}"
    with pytest.raises(NotAcceptable) as refused:
        negotiate(accept, COLLECTION)
    assert refused.value.message.endswith(
        ", application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch"
    )


@pytest.mark.parametrize(
    "accept",
    [
        f"application/json;as=Table;v=v2;{META}",
        "application/json;as=Table;v=v1;g=foo",
        "application/json;as=Table",
        f"application/vnd.kubernetes.protobuf;as=Table;v=v1;{META}",
        f"application/json;as=Nope;v=v1;{META}",
        "application/json;stream=else",
        "application/yaml;stream=watch",
        "application/json;sv=v9",
        DISCOVERY,
    ],
)
def test_the_handler_lists_what_it_accepts(accept: str) -> None:
    with pytest.raises(NotAcceptable) as refused:
        negotiate(accept, COLLECTION)
    assert not refused.value.from_router
    assert refused.value.message == f"only the following media types are accepted: {', '.join(ALL)}"


def test_a_resource_without_a_table_gives_none() -> None:
    with pytest.raises(NotAcceptable):
        negotiate(f"application/json;as=Table;v=v1;{META}", PLAIN)


def test_a_watch_is_never_yaml_and_never_indented() -> None:
    with pytest.raises(NotAcceptable) as refused:
        negotiate(YAML, COLLECTION, stream=True)
    assert refused.value.message == (
        "only the following media types are accepted: application/json;stream=watch, "
        "application/vnd.kubernetes.protobuf;stream=watch"
    )
    form = negotiate("application/json;pretty=1", COLLECTION, stream=True, pretty=True)
    assert (form.pretty, form.stream, form.content_type) == (False, True, JSON)
    assert negotiate(PROTOBUF, COLLECTION, stream=True).content_type == f"{PROTOBUF};stream=watch"


def test_aggregated_discovery_is_told_in_the_content_type() -> None:
    form = negotiate(f"{DISCOVERY},application/json", Offer(ALL, discovery=True))
    assert form.content_type == DISCOVERY
    assert negotiate(f"{DISCOVERY.replace('=v2', '=v2beta1')},{JSON}", Offer(ALL, discovery=True)) == Negotiated(JSON)


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("application/json", Negotiated(JSON)),
        ("application/yaml", Negotiated(YAML)),
        ("application/*", Negotiated(JSON)),
        (f"application/json;as=Table;v=v1;{META},application/json", Negotiated(JSON)),
        (f"application/json;as=Table;v=v1;{META}", FALLBACK),
        ("text/html", FALLBACK),
    ],
)
def test_an_error_takes_the_plain_form_or_falls_back_to_indented_json(accept: str, form: Negotiated) -> None:
    assert negotiate_error(accept, ALL) == form


@pytest.mark.parametrize(
    ("query", "agent", "pretty"),
    [
        ({}, "curl/7.88.1", True),
        ({}, "Mozilla/5.0 (X11)", True),
        ({}, "kubectl/v1.32", False),
        ({}, None, False),
        ({"pretty": ["true"]}, "kubectl", True),
        ({"pretty": ["0"]}, "curl/8", False),
        ({"pretty": ["junk"]}, "curl/8", False),
        ({"pretty": [""]}, "curl/8", True),
    ],
)
def test_who_gets_indented_json(query: dict[str, list[str]], agent: str | None, pretty: bool) -> None:
    assert wants_pretty(query, agent) is pretty
    assert negotiate(JSON, PLAIN, pretty=pretty).pretty is pretty
    assert negotiate(YAML, PLAIN, pretty=pretty).pretty is False


def test_a_body_is_json_unless_it_says_otherwise() -> None:
    assert body_media_type(None, ALL) == JSON
    assert body_media_type("application/yaml; charset=utf-8", ALL) == YAML
    with pytest.raises(UnsupportedMediaType) as refused:
        body_media_type("text/plain", ALL)
    assert refused.value.message == (
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json, application/yaml, application/vnd.kubernetes.protobuf"
    )
    assert not refused.value.from_router


def test_a_patch_has_to_say_what_it_is() -> None:
    merge = "application/merge-patch+json"
    assert patch_media_type(f"{merge};charset=utf-8", (merge,)) == merge
    for content_type in (None, JSON, "application/apply-patch+cbor"):
        with pytest.raises(UnsupportedMediaType) as refused:
            patch_media_type(content_type, (merge,))
        assert (refused.value.message, refused.value.from_router) == ("415: Unsupported Media Type", True)


@given(st.text(alphabet="application/jsonyaml;=,*q.0 v1as", max_size=80))
def test_any_header_gives_a_form_or_a_refusal(accept: str) -> None:
    try:
        form = negotiate(accept, COLLECTION)
    except NotAcceptable:
        form = negotiate_error(accept, ALL)
    assert form.media_type in ALL


def test_an_endless_header_is_not_kept() -> None:
    assert negotiate("application/json," * 500, COLLECTION) == Negotiated(JSON)
