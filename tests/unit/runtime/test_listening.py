"""Sockets of one port, shared by our workers and by nobody else."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest

from service.runtime.config import ListenAddress
from service.runtime.listening import PRIVATE_PORTS, free_loopback_port, open_listening_sockets
from service.runtime.user_error import UserError

ANY = ListenAddress("127.0.0.1", 0)


def test_the_workers_sockets_listen_on_one_port_and_take_turns() -> None:
    with ExitStack() as stack:
        sockets = [stack.enter_context(opened) for opened in open_listening_sockets(ANY, 3)]
        [address] = {opened.getsockname() for opened in sockets}
        for opened in sockets:
            opened.setblocking(False)
        for _ in range(100):
            stack.enter_context(socket.create_connection(address))
        accepted = [_accept_all(opened, stack) for opened in sockets]
        assert sum(accepted) == 100
        assert min(accepted) > 0


@pytest.mark.parametrize("workers", [1, 2])
def test_a_port_that_somebody_listens_on_is_refused(workers: int) -> None:
    with ExitStack() as stack:
        sockets = [stack.enter_context(opened) for opened in open_listening_sockets(ANY, 2)]
        taken = ListenAddress("127.0.0.1", sockets[0].getsockname()[1])
        with pytest.raises(UserError, match=f"cannot listen on {taken}: it is already in use"):
            open_listening_sockets(taken, workers)


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_that_is_not_ours_is_refused(host: str) -> None:
    with pytest.raises(UserError, match=f"cannot listen on {host}:1"):
        open_listening_sockets(ListenAddress(host, 1), 1)


def test_a_free_port_is_free() -> None:
    port = free_loopback_port()
    assert port in PRIVATE_PORTS
    for opened in open_listening_sockets(ListenAddress("127.0.0.1", port), 1):
        opened.close()


def _accept_all(opened: socket.socket, stack: ExitStack) -> int:
    count = 0
    while True:
        try:
            connection, _ = opened.accept()
        except BlockingIOError:
            return count
        stack.enter_context(connection)
        count += 1
