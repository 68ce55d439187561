"""Sockets are opened before anything heavy, and answer without delay."""

import socket

import pytest

from preprocessing.errors import UsageError
from serving.server.ports import join, listen


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_small_answers_do_not_wait_for_the_client(host):
    """Nagle's algorithm made 45 ms of the 2 ms that a status takes."""
    with listen(host, 0) as listening, socket.create_connection(listening.getsockname()[:2]):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_port_is_had_once():
    with listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(UsageError) as refused:
            listen("127.0.0.1", port)
    assert str(refused.value) == (
        "The server cannot listen there: the port is taken, or the address is not this machine's\n"
        f"  Received: '127.0.0.1:{port}'"
    )
    listen("127.0.0.1", port).close()


def test_addresses_are_written_as_addresses_are():
    assert join("127.0.0.1", 1) == "127.0.0.1:1"
    assert join("::1", 1) == "[::1]:1"
