"""Bearer tokens: which headers carry one, who is anonymous, who is turned away."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.auth.authentication import (
    SPACE_WARNING,
    WEBSOCKET_TOKEN_PREFIX,
    Authenticator,
    websocket_credentials,
)
from service.auth.errors import Unauthorized
from service.auth.reloading import Fixed
from service.auth.tokens import TokenTable
from service.auth.users import ANONYMOUS_USER, AUTHENTICATED, User

TOKENS = Fixed(TokenTable({"secret": User("ann", "7", ("ops",)), "häs-umlaut": User("bob")}))
STRICT = Authenticator(TOKENS, anonymous=False)
OPEN = Authenticator(TOKENS, anonymous=True)


@pytest.mark.parametrize("header", ["Bearer secret", "bearer secret", "BEARER secret x", "  Bearer secret  "])
def test_a_known_token_is_its_user_in_the_group_of_the_authenticated(header: str) -> None:
    assert STRICT.authenticate(header).user == User("ann", "7", ("ops", AUTHENTICATED))


@pytest.mark.parametrize("header", ["Bearer nosuch", "Bearer secretx", "Bearer s"])
@pytest.mark.parametrize("authenticator", [STRICT, OPEN])
def test_an_unknown_token_is_never_anonymous(header: str, authenticator: Authenticator) -> None:
    with pytest.raises(Unauthorized):
        authenticator.authenticate(header)


@pytest.mark.parametrize("header", [None, "", "Basic YTpi", "garbage", "Bearer", "Bearer "])
def test_no_token_is_anonymous_where_that_is_allowed(header: str | None) -> None:
    assert OPEN.authenticate(header).user == ANONYMOUS_USER
    with pytest.raises(Unauthorized):
        STRICT.authenticate(header)


def test_two_spaces_before_the_token_are_ignored_with_a_warning() -> None:
    found = OPEN.authenticate("Bearer  secret")
    assert (found.user, found.warning) == (ANONYMOUS_USER, SPACE_WARNING)


def test_a_websocket_brings_its_token_as_a_subprotocol() -> None:
    token, others = websocket_credentials(f"{WEBSOCKET_TOKEN_PREFIX}c2VjcmV0, v4.channel.k8s.io")
    assert others == ["v4.channel.k8s.io"]
    assert STRICT.authenticate(None, token).user.name == "ann"


def test_a_websocket_without_a_token_keeps_its_protocols() -> None:
    assert websocket_credentials("a, b") == (None, ["a", "b"])
    assert websocket_credentials(None) == (None, [])


@pytest.mark.parametrize(
    "protocols",
    [
        f"{WEBSOCKET_TOKEN_PREFIX}c2VjcmV0",
        f"{WEBSOCKET_TOKEN_PREFIX}c2VjcmV0, {WEBSOCKET_TOKEN_PREFIX}c2VjcmV0, x",
        f"{WEBSOCKET_TOKEN_PREFIX}!!, x",
        f"{WEBSOCKET_TOKEN_PREFIX}_w, x",
        f"{WEBSOCKET_TOKEN_PREFIX}é, x",
    ],
)
def test_a_websocket_token_that_cannot_be_used(protocols: str) -> None:
    with pytest.raises(Unauthorized):
        websocket_credentials(protocols)


@given(st.text(max_size=40))
def test_no_header_lets_a_stranger_in(header: str) -> None:
    try:
        user = OPEN.authenticate(header).user
    except Unauthorized:
        return
    assert user == ANONYMOUS_USER
