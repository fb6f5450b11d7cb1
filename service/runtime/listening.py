"""Sockets that listen before any process serves them.

`up` opens one socket per worker on the same port and keeps them all: the kernel spreads connections over them, and
those that wait in the queue of a killed worker are served by its successor instead of being refused.
Invariant: a port that somebody else listens on is refused here, although SO_REUSEPORT would let us share it.
"""

from __future__ import annotations

import errno
import os
import random
import socket

from service.runtime.config import ListenAddress
from service.runtime.user_error import UserError

BACKLOG_CONNECTIONS = 4096
PRIVATE_PORTS = range(20_000, 32_768)
"""Below the range from which Linux takes the local ports of outgoing connections: a port of ours that is closed for a
moment, while an engine restarts, is then not taken by a client."""
PRIVATE_PORT_ATTEMPTS = 100


def open_listening_sockets(address: ListenAddress, count: int) -> list[socket.socket]:
    """`count` sockets on one port, in the order of the workers. Raises UserError when the address cannot be had."""
    try:
        family, *_, (host, port, *_) = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise UserError(f"cannot listen on {address}: {error.strerror}") from error
    sockets: list[socket.socket] = []
    try:
        with _bound(family, str(host), int(port), shared=False):
            pass
        for _ in range(count):
            # The first one may have been given a port; the others join it there.
            taken_port = sockets[0].getsockname()[1] if sockets else int(port)
            sockets.append(_bound(family, str(host), taken_port, shared=count > 1))
            sockets[-1].listen(BACKLOG_CONNECTIONS)
    except OSError as error:
        for opened in sockets:
            opened.close()
        reason = "it is already in use" if error.errno == errno.EADDRINUSE else os.strerror(error.errno or 0)
        raise UserError(f"cannot listen on {address}: {reason}") from error
    return sockets


def free_loopback_port() -> int:
    """A port on 127.0.0.1 that nobody listens on at the moment. Raises UserError when none is found."""
    for port in random.sample(PRIVATE_PORTS, PRIVATE_PORT_ATTEMPTS):
        try:
            with _bound(socket.AF_INET, "127.0.0.1", port, shared=False):
                return port
        except OSError:
            continue
    raise UserError("found no free port on 127.0.0.1")


def _bound(family: int, host: str, port: int, *, shared: bool) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        opened.bind((host, port))
    except BaseException:
        opened.close()
        raise
    return opened
