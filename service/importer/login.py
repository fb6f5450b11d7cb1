"""How a registry wants to be asked: the challenges of its 401, and the Authorization header that answers them.

Keeps: credentials and tokens are sent to the token service that the registry names, over TLS unless the import is
insecure, and nowhere else. A token lives as long as one import, which is shorter than any registry makes them.
Source: RFC 9110 11.6.1; the token protocol of the distribution project, https://distribution.github.io/distribution/spec/auth/token/.
Elsewhere: which credentials (`credentials.py`).
"""

from __future__ import annotations

import re

import msgspec
from yarl import URL

from service.importer.credentials import Credentials
from service.importer.exchange import Answer, Exchange, refusal_of
from service.importer.failures import NoCredentials, RegistryError, Unauthorized

TOKEN_LIMIT_BYTES = 1024 * 1024
_SCHEME = re.compile(r"\s*([A-Za-z]+)\s+")
_PARAMETER = re.compile(r'\s*([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*,?')


class Challenge(msgspec.Struct, frozen=True):
    scheme: str
    """`basic` or `bearer`, or what nobody here can answer"""
    parameters: dict[str, str] = {}


class _Token(msgspec.Struct):
    token: str = ""
    access_token: str = ""


def challenges_of(answer: Answer) -> list[Challenge]:
    """What a 401 asks for; what is malformed is left out."""
    found = []
    for header in answer.headers.getall("WWW-Authenticate", []):
        match = _SCHEME.match(header)
        if match is None:
            continue
        parameters = {
            m[1].lower(): m[2] if m[2] is not None else m[3] for m in _PARAMETER.finditer(header, match.end())
        }
        found.append(Challenge(match[1].lower(), parameters))
    return found


async def authorization(
    exchange: Exchange, challenges: list[Challenge], credentials: Credentials | None, path: str, url: str
) -> str:
    """The Authorization header for reading the repository `path`; "" if nothing is asked for. `url` is what for.

    Raises NoCredentials, Unauthorized, RegistryError.
    """
    for challenge in challenges:
        if challenge.scheme == "bearer":
            return f"Bearer {await _token(exchange, challenge, credentials, path)}"
    if any(challenge.scheme == "basic" for challenge in challenges):
        if credentials is None:
            raise NoCredentials(f'Get "{url}": no basic auth credentials')
        return credentials.basic
    return ""


async def _token(exchange: Exchange, challenge: Challenge, credentials: Credentials | None, path: str) -> str:
    """Raises Unauthorized, RegistryError."""
    realm = challenge.parameters.get("realm", "")
    try:
        url = URL(realm)
    except ValueError:
        raise RegistryError(f"invalid token service {realm!r}") from None
    allowed = ("https", "http") if exchange.insecure else ("https",)
    if url.scheme not in allowed:
        raise RegistryError(f"the token service {realm!r} is not asked over TLS")
    asked = {"scope": challenge.parameters.get("scope") or f"repository:{path}:pull"}
    if challenge.parameters.get("service"):
        asked["service"] = challenge.parameters["service"]
    headers = {"Authorization": credentials.basic} if credentials else {}
    answer = await exchange.get(str(url.update_query(asked)), headers, TOKEN_LIMIT_BYTES)
    if answer.status in (401, 403):
        raise Unauthorized(str(refusal_of(answer)))
    if not answer.is_success:
        raise refusal_of(answer)
    try:
        token = msgspec.json.decode(answer.body, type=_Token)
    except msgspec.MsgspecError as error:
        raise RegistryError(f"unable to decode token response: {error}") from None
    if not (token.token or token.access_token):
        raise RegistryError("authorization server did not include a token in the response")
    return token.token or token.access_token
