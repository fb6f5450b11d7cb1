"""Who asks: the bearer token of a request, from its Authorization header or a WebSocket subprotocol.

Keeps: a token that is shown and not known is Unauthorized, and never falls through to anonymous; no credentials at all
are the anonymous user where that is allowed, else Unauthorized. Header forms we do not know count as no credentials.
Elsewhere: which tokens there are (`tokens.py`), and what the user may do (`authorization.py`).
Source: spec: kube-api 9.1 and 9.2; 7.2.4 for WebSockets.
"""

from __future__ import annotations

import base64
import binascii

import msgspec

from service.auth.errors import Unauthorized
from service.auth.reloading import Current
from service.auth.tokens import TokenTable
from service.auth.users import ANONYMOUS_USER, User, authenticated

WEBSOCKET_TOKEN_PREFIX = "base64url.bearer.authorization.k8s.io."
SPACE_WARNING = "the provided Authorization header contains extra space before the bearer token, and is ignored"


class Credentials(msgspec.Struct, frozen=True):
    """What a header offers: a token, or none, and what to warn the client of."""

    token: str | None = None
    warning: str | None = None


class Authentication(msgspec.Struct, frozen=True):
    user: User
    warning: str | None = None
    """For a Warning header of the answer, whatever it will be."""


class Authenticator:
    def __init__(self, tokens: Current[TokenTable], *, anonymous: bool) -> None:
        self._tokens = tokens
        self._anonymous = anonymous

    def authenticate(self, authorization: str | None, websocket_token: str | None = None) -> Authentication:
        """Raises Unauthorized."""
        offered = bearer_credentials(authorization)
        token = offered.token if offered.token is not None else websocket_token
        if token is not None:
            user = self._tokens.value.user(token)
            if user is None:
                raise Unauthorized
            return Authentication(authenticated(user), offered.warning)
        if not self._anonymous:
            raise Unauthorized
        return Authentication(ANONYMOUS_USER, offered.warning)


def bearer_credentials(authorization: str | None) -> Credentials:
    """The token of `Bearer ⟨token⟩`; the scheme's case is free, what follows the token is ignored."""
    scheme, *rest = (authorization or "").strip().split(" ", 2)
    if scheme.lower() != "bearer" or not rest:
        return Credentials()
    if not rest[0]:
        return Credentials(warning=SPACE_WARNING if len(rest) == 2 else None)
    return Credentials(rest[0])


def websocket_credentials(protocols: str | None) -> tuple[str | None, list[str]]:
    """The token among the subprotocols a WebSocket client offers, and the protocols left to choose from.

    Raises Unauthorized for two tokens, one that is not base64url of text, or one with no protocol beside it: the
    answer must echo a protocol, and never the token.
    """
    offered = [protocol.strip() for protocol in (protocols or "").split(",")]
    tokens = [p.removeprefix(WEBSOCKET_TOKEN_PREFIX) for p in offered if p.startswith(WEBSOCKET_TOKEN_PREFIX)]
    others = [p for p in offered if p and not p.startswith(WEBSOCKET_TOKEN_PREFIX)]
    if not tokens:
        return None, others
    if len(tokens) > 1 or not others:
        raise Unauthorized
    try:
        padded = tokens[0].encode("ascii") + b"=" * (-len(tokens[0]) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode(), others
    except (UnicodeError, binascii.Error):
        raise Unauthorized from None
