"""Where the server listens; no TensorFlow, so that a mistake is answered at once."""

import socket

from preprocessing.errors import UsageError, explain


def listen(host: str, port: int) -> socket.socket:
    """Opens a socket; port 0 takes a free one.

    Raises:
        UsageError: If that is not possible.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        opened = socket.create_server((host, port), family=family, backlog=512)
    except OSError:
        raise taken(host, port) from None
    # What it accepts inherits this. asyncio sets it only on sockets that were made
    # with their protocol named; without it a small answer waits 40 ms for an ACK.
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened


def join(host: str, port: int) -> str:
    """Writes an address, such as 127.0.0.1:8500 or [::1]:8500."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def taken(host: str, port: int) -> UsageError:
    """Says that a port cannot be had."""
    what = "The server cannot listen there: the port is taken, or the address is not this machine's"
    return UsageError(explain(what, join(host, port)))
