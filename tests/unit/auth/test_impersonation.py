"""Acting as somebody else: who it is then, and who may."""

from __future__ import annotations

import pytest

from service.auth.authorization import Authorizer
from service.auth.impersonation import impersonated
from service.auth.rbac import Binding, PolicyRule, Role, Subject, policy
from service.auth.rbac_index import RbacIndex
from service.auth.reloading import Fixed
from service.auth.users import ANONYMOUS, AUTHENTICATED, MASTERS, UNAUTHENTICATED, User
from service.domain.errors import Forbidden, Unclassified

ADMIN = User("admin", groups=(MASTERS,))
ANN = User("ann", groups=(AUTHENTICATED,))
AUTHENTICATION = "authentication.k8s.io"

Headers = list[tuple[str, str]]


def allowing(*rules: PolicyRule, namespace: str = "") -> Authorizer:
    """Lets ann do what the rules say."""
    binding = Binding("b", "r", (Subject("User", "ann"),), namespace)
    return Authorizer(Fixed(RbacIndex(policy([Role("r", rules)], [binding]))))


def may_be(resource: str, *names: str, group: str = "") -> PolicyRule:
    return PolicyRule(("impersonate",), (group,), (resource,), names)


NOTHING = allowing()


@pytest.mark.parametrize(
    "headers", [[], [("Accept", "*/*")], [("Impersonate-User", "")], [("X-Impersonate-User", "a")]]
)
def test_without_the_headers_everybody_is_themselves(headers: Headers) -> None:
    assert impersonated(ANN, headers, NOTHING) is None


@pytest.mark.parametrize(
    ("headers", "user"),
    [
        ([("Impersonate-User", "bob")], User("bob", groups=(AUTHENTICATED,))),
        ([("IMPERSONATE-USER", "bob")], User("bob", groups=(AUTHENTICATED,))),
        (
            [("Impersonate-User", "bob"), ("Impersonate-Group", "a"), ("Impersonate-Group", "b")],
            User("bob", groups=("a", "b", AUTHENTICATED)),
        ),
        (
            [("Impersonate-User", "bob"), ("Impersonate-Group", AUTHENTICATED)],
            User("bob", groups=(AUTHENTICATED,)),
        ),
        ([("Impersonate-User", ANONYMOUS)], User(ANONYMOUS, groups=(UNAUTHENTICATED,))),
        (
            [("Impersonate-User", "bob"), ("Impersonate-Uid", "7"), ("Impersonate-Extra-Acme%2fScopes", "v")],
            User("bob", "7", (AUTHENTICATED,), {"acme/scopes": ("v",)}),
        ),
        (
            [("Impersonate-User", "system:serviceaccount:ns:robot")],
            User(
                "system:serviceaccount:ns:robot",
                groups=("system:serviceaccounts", "system:serviceaccounts:ns", AUTHENTICATED),
            ),
        ),
        (
            [("Impersonate-User", "system:serviceaccount:ns:robot"), ("Impersonate-Group", "g")],
            User("system:serviceaccount:ns:robot", groups=("g", AUTHENTICATED)),
        ),
    ],
)
def test_whom_the_headers_name(headers: Headers, user: User) -> None:
    """Nothing is left of who sent them: no group of the administrator's, above all."""
    assert impersonated(ADMIN, headers, NOTHING) == user


@pytest.mark.parametrize(
    ("rules", "headers", "refused"),
    [
        ([], [("Impersonate-User", "bob")], 'users "bob" is forbidden'),
        ([may_be("users", "eve")], [("Impersonate-User", "bob")], 'users "bob" is forbidden'),
        (
            [may_be("users")],
            [("Impersonate-User", "bob"), ("Impersonate-Group", MASTERS)],
            'groups "system:masters" is forbidden',
        ),
        (
            [may_be("users"), may_be("uids")],
            [("Impersonate-User", "bob"), ("Impersonate-Uid", "7")],
            'uids.authentication.k8s.io "7" is forbidden',
        ),
        (
            [may_be("users")],
            [("Impersonate-User", "bob"), ("Impersonate-Extra-Scope", "all")],
            'userextras.authentication.k8s.io "all" is forbidden',
        ),
        ([may_be("users")], [("Impersonate-User", "system:serviceaccount:ns:robot")], 'serviceaccounts "robot"'),
    ],
)
def test_each_part_has_to_be_allowed(rules: list[PolicyRule], headers: Headers, refused: str) -> None:
    with pytest.raises(Forbidden) as raised:
        impersonated(ANN, headers, allowing(*rules))
    assert refused in raised.value.message
    assert 'User "ann" cannot impersonate' in raised.value.message


def test_who_may_do_each_part_may_do_all() -> None:
    authorizer = allowing(
        may_be("users", "bob"),
        may_be("groups", "team"),
        may_be("uids", group=AUTHENTICATION),
        may_be("userextras/scope", group=AUTHENTICATION),
    )
    headers = [("Impersonate-User", "bob"), ("Impersonate-Group", "team"), ("Impersonate-Uid", "7")]
    headers += [("Impersonate-Extra-Scope", "all")]
    found = impersonated(ANN, headers, authorizer)
    assert found == User("bob", "7", ("team", AUTHENTICATED), {"scope": ("all",)})


def test_service_accounts_are_given_by_namespace() -> None:
    headers = [("Impersonate-User", "system:serviceaccount:ns:robot")]
    assert impersonated(ANN, headers, allowing(may_be("serviceaccounts"), namespace="ns"))
    with pytest.raises(Forbidden):
        impersonated(ANN, headers, allowing(may_be("serviceaccounts"), namespace="other"))


@pytest.mark.parametrize("header", ["Impersonate-Group", "Impersonate-Uid", "Impersonate-Extra-Scope"])
def test_a_part_of_nobody_is_refused(header: str) -> None:
    with pytest.raises(Unclassified):
        impersonated(ADMIN, [(header, "x")], NOTHING)
