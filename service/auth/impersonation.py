"""Acting as somebody else: the Impersonate-* headers, and the right to send them.

Keeps: who impersonates is exactly the user that was asked for, with nothing left of their own; each part of it (user,
groups, uid, extra) has to be allowed to them by itself. Headers that ask for a part without a user are refused, never
ignored. Elsewhere: the log remembers both (`eventstore/records.py`). Source: spec: kube-api 9.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import unquote

import msgspec

from service.auth.authorization import Authorizer
from service.auth.rbac_index import Attributes
from service.auth.users import (
    ANONYMOUS,
    SERVICE_ACCOUNT_PREFIX,
    UNAUTHENTICATED,
    User,
    authenticated,
    service_account_groups,
)
from service.domain.errors import Unclassified

AUTHENTICATION_GROUP = "authentication.k8s.io"
PREFIX = "impersonate-"
_EXTRA_PREFIX = f"{PREFIX}extra-"


class Wish(msgspec.Struct):
    """What the headers ask for; the order is theirs."""

    user: str = ""
    uid: str = ""
    groups: list[str] = []
    extra: dict[str, list[str]] = {}


def impersonated(user: User, headers: Iterable[tuple[str, str]], authorizer: Authorizer) -> User | None:
    """Whom the user acts as; None if as themselves. Raises Forbidden, or Unclassified for parts without a user."""
    wish = _wish(headers)
    if wish is None:
        return None
    for asked in _parts(wish):
        authorizer.require(user, asked)
    return _user(wish)


def _wish(headers: Iterable[tuple[str, str]]) -> Wish | None:
    wish: Wish | None = None
    for name, raw in headers:
        lowered = name.lower()
        if not lowered.startswith(PREFIX):
            continue
        # Bytes that are no UTF-8 are in nobody's name.
        value = raw.encode(errors="replace").decode()
        wish = wish or Wish()
        if lowered == "impersonate-user":
            wish.user = wish.user or value
        elif lowered == "impersonate-uid":
            wish.uid = wish.uid or value
        elif lowered == "impersonate-group":
            wish.groups.append(value)
        elif lowered.startswith(_EXTRA_PREFIX):
            wish.extra.setdefault(unquote(lowered.removeprefix(_EXTRA_PREFIX)), []).append(value)
    if wish is not None and not wish.user and wish != Wish():
        raise Unclassified("requested groups, uid or extra without impersonating a user")
    return wish if wish is not None and wish.user else None


def _parts(wish: Wish) -> Iterator[Attributes]:
    account = _service_account(wish.user)
    if account:
        yield Attributes("impersonate", resource="serviceaccounts", namespace=account[0], name=account[1])
    else:
        yield Attributes("impersonate", resource="users", name=wish.user)
    for group in wish.groups:
        yield Attributes("impersonate", resource="groups", name=group)
    for key, values in wish.extra.items():
        for value in values:
            yield Attributes("impersonate", AUTHENTICATION_GROUP, "userextras", key, name=value)
    if wish.uid:
        yield Attributes("impersonate", AUTHENTICATION_GROUP, "uids", name=wish.uid)


def _user(wish: Wish) -> User:
    groups = tuple(wish.groups)
    account = _service_account(wish.user)
    if account and not groups:
        groups = service_account_groups(account[0])
    if wish.user == ANONYMOUS and UNAUTHENTICATED not in groups:
        groups = (*groups, UNAUTHENTICATED)
    extra = {key: tuple(values) for key, values in wish.extra.items()}
    return authenticated(User(wish.user, wish.uid, groups, extra))


def _service_account(user: str) -> tuple[str, str] | None:
    """Namespace and name, where the user is a service account."""
    namespace, separator, name = user.removeprefix(SERVICE_ACCOUNT_PREFIX).partition(":")
    is_one = user.startswith(SERVICE_ACCOUNT_PREFIX) and separator and namespace and name and ":" not in name
    return (namespace, name) if is_one else None
