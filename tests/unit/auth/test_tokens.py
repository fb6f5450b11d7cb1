"""The token file: what a line means, and what makes a file unusable."""

from __future__ import annotations

import pytest

from service.auth.errors import CredentialFileError
from service.auth.tokens import parse_token_file
from service.auth.users import User


def test_a_line_is_a_token_and_its_user() -> None:
    table = parse_token_file('admintoken,admin,u-admin,"system:masters,ops"\ndevtoken,dev,u-dev\n')
    assert table.user("admintoken") == User("admin", "u-admin", ("system:masters", "ops"))
    assert table.user("devtoken") == User("dev", "u-dev")
    assert table.user("nosuch") is None


def test_blank_lines_and_quotes_are_csv() -> None:
    table = parse_token_file('\n"to,ken","o""brien",""\n\n')
    assert table.user("to,ken") == User('o"brien')


def test_empty_group_names_are_no_groups() -> None:
    assert parse_token_file('t,u,1,",a,"\n').user("t") == User("u", "1", ("a",))


def test_a_token_named_twice_is_its_last_line(caplog: pytest.LogCaptureFixture) -> None:
    table = parse_token_file("t,first,1\nt,second,2\n")
    assert table.user("t") == User("second", "2")
    assert "twice" in caplog.text


def test_an_empty_token_opens_no_door(caplog: pytest.LogCaptureFixture) -> None:
    assert parse_token_file(",ghost,1\n").user("") is None
    assert "empty token" in caplog.text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("t,u\n", "line 1: needs at least 3 columns (token, user name, user uid), has 2"),
        ("a,b,c\n\nt,,1\n", "line 3: the user name is empty"),
        ('a,b,"c"d\n', "line 1: "),
    ],
)
def test_a_wrong_line_is_named(text: str, problem: str) -> None:
    with pytest.raises(CredentialFileError) as wrong:
        parse_token_file(text)
    assert str(wrong.value).startswith(problem)
