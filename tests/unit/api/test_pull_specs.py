"""The grammar of pull specs, example by example, and what parsing and printing owe each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.api.pull_specs import LIMIT_CHARACTERS, InvalidPullSpec, PullSpec, check_digest, parse_pull_spec

SHA = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("wildfly", PullSpec(name="wildfly")),
        ("wildfly:15.0", PullSpec(name="wildfly", tag="15.0")),
        (SHA, PullSpec(name="sha256", tag="a" * 64)),
        ("bar/foo", PullSpec(namespace="bar", name="foo")),
        ("bar/foo/baz", PullSpec(namespace="bar", name="foo/baz")),
        ("docker.io/myapp", PullSpec("docker.io", "", "myapp")),
        ("localhost/app", PullSpec("localhost", "", "app")),
        ("registry:3000/ns/app:x", PullSpec("registry:3000", "ns", "app", "x")),
        (f"quay.io/a/b:c@{SHA}", PullSpec("quay.io", "a", "b", "c", SHA)),
        ("Host/app", PullSpec(namespace="Host", name="app")),
        ("quay.io", PullSpec(registry="quay.io")),
        ("localhost:5000", PullSpec(registry="localhost:5000")),
        ("a__b---c.d", PullSpec(registry="a__b---c.d")),
    ],
)
def test_what_the_parts_are(text: str, spec: PullSpec) -> None:
    assert parse_pull_spec(text) == spec


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", "repository name must have at least one component"),
        ("!!", "invalid reference format"),
        ("https://quay.io/a", "invalid reference format"),
        ("a//b", "invalid reference format"),
        ("a/b/", "invalid reference format"),
        ("a:" + "t" * 129, "invalid reference format"),
        ("abc@badid", "invalid reference format"),
        ("a___b", "invalid reference format"),
        ("registry:3000/integration/imageStream:x", "repository name must be lowercase"),
        ("a" * 256, "repository name must not be more than 255 characters"),
        ("a" * LIMIT_CHARACTERS, "repository name must not be more than 255 characters"),
        ("a" * (LIMIT_CHARACTERS + 1), "invalid reference format"),
        ("a@sha256:" + "a" * 63, "invalid checksum digest length"),
        ("a@md5:" + "a" * 32, "unsupported digest algorithm"),
    ],
)
def test_why_a_text_is_no_pull_spec(text: str, refusal: str) -> None:
    with pytest.raises(InvalidPullSpec) as raised:
        parse_pull_spec(text)
    assert str(raised.value) == refusal


def test_a_digest_is_checked_for_its_form_algorithm_and_length() -> None:
    assert check_digest(SHA) == ("sha256", "a" * 64)
    for text, refusal in [
        ("plain", "invalid checksum digest format"),
        ("sha256:xyz", "invalid checksum digest format"),
        ("sha1:" + "a" * 40, "unsupported digest algorithm"),
        ("sha512:" + "a" * 64, "invalid checksum digest length"),
    ]:
        with pytest.raises(InvalidPullSpec) as raised:
            check_digest(text)
        assert str(raised.value) == refusal


components = st.from_regex(r"[a-z0-9]{1,5}((__|[._]|-{1,2})[a-z0-9]{1,3})?", fullmatch=True)
registries = st.just("") | st.from_regex(
    r"([a-zA-Z0-9]{1,5}\.[a-z]{2,3}|localhost|[a-z]{1,4}:[0-9]{1,5})", fullmatch=True
)


@st.composite
def pull_specs(draw: st.DrawFn) -> PullSpec:
    """Specs whose parts cannot be taken for one another."""
    registry = draw(registries)
    namespace = draw(st.just("") | components.filter(lambda c: "." not in c and c != "localhost"))
    name = draw(components)
    if not registry and not namespace and ("." in name or name.startswith("localhost")):
        namespace = "ns"
    tag, digest = draw(st.sampled_from([("", ""), ("v1.0_x", ""), ("", SHA)]))
    return PullSpec(registry, namespace, name, tag, digest)


@given(pull_specs())
def test_what_is_printed_exactly_is_parsed_to_the_same(spec: PullSpec) -> None:
    assert parse_pull_spec(spec.exact()) == spec
    assert parse_pull_spec(spec.repository().exact()) == spec.repository()
    completed = spec.with_client_defaults()
    assert completed.registry
    assert completed.tag
    assert parse_pull_spec(completed.repository().exact()) == completed.repository()


@given(st.text(alphabet="aA1.-_:/@ é", max_size=20))
def test_any_text_is_a_pull_spec_or_is_refused(text: str) -> None:
    try:
        spec = parse_pull_spec(text)
    except InvalidPullSpec:
        return
    assert spec.name or spec.registry


def test_an_id_wins_over_a_tag_and_serves_as_one_where_it_is_no_digest() -> None:
    assert PullSpec("r.io", "ns", "app", "v1", SHA).exact() == f"r.io/ns/app@{SHA}"
    assert PullSpec("r.io", "ns", "app", "v1", "abc").exact() == "r.io/ns/app:abc"
    assert PullSpec(name="app", tag="v1", id=SHA).most_specific() == PullSpec(name="app", id=SHA)
    assert PullSpec(name="app", id="abc").most_specific() == PullSpec(name="app", tag="abc")
    assert PullSpec(name="app", tag="v1", id="abc").most_specific() == PullSpec(name="app", tag="v1", id="abc")
    assert PullSpec(name="app", tag="v1").most_specific() == PullSpec(name="app", tag="v1")


def test_a_client_fills_in_the_hub_its_library_and_latest() -> None:
    assert PullSpec(name="app").with_client_defaults().exact() == "docker.io/library/app:latest"
    assert PullSpec("index.docker.io", "", "app").with_client_defaults().namespace == "library"
    assert PullSpec("quay.io", "", "app", "x").with_client_defaults() == PullSpec("quay.io", "", "app", "x")


def test_a_registry_alone_is_printed_with_a_slash_and_nothing_as_nothing() -> None:
    assert PullSpec(registry="quay.io").exact() == "quay.io/"
    assert PullSpec().exact() == ""
