"""Logs in to a MySQL or MariaDB server once, to learn why ML Metadata could not.

ML Metadata's own message has neither number nor text where a server refuses it. The
protocol: MySQL's "Connection Phase" and mysql_native_password, the one way of logging in
that ML Metadata's client has.
"""

import contextlib
import hashlib
import socket
import ssl
import struct
from typing import NamedTuple

PLUGIN = "mysql_native_password"

_SECONDS = 10.0
# CONNECT_WITH_DB, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION, PLUGIN_AUTH and LONG_PASSWORD.
_CAPABILITIES = 0x1 | 0x8 | 0x200 | 0x2000 | 0x8000 | 0x80000
_TLS = 0x800
_UTF8 = 45
_OK, _SWITCH, _ERROR = 0x00, 0xFE, 0xFF

# Only to learn whether TLS is what is missing; nobody is to be protected by it.
_WITHOUT_TRUST = ssl.create_default_context()
_WITHOUT_TRUST.check_hostname = False
_WITHOUT_TRUST.verify_mode = ssl.CERT_NONE


class Refusal(NamedTuple):
    """Why a server let nobody in.

    Attributes:
        code: MySQL's number of the error, such as 1045; 0 where it is none of the server's.
        text: What it said.
    """

    code: int
    text: str


def log_in(
    host: str, port: int, database: str, user: str, password: str, *, tls: bool = False
) -> Refusal | None:
    """Logs in and leaves again, without `tls` as ML Metadata does.

    Args:
        host: The server.
        port: Its port.
        database: The one to use.
        user: The user's name.
        password: Sent as a hash alone; empty for none.
        tls: Whether to talk by TLS, whatever the server's certificate is.

    Returns:
        None where the server lets the user in.

    Raises:
        OSError: The server does not answer, or in another language.
    """
    with contextlib.ExitStack() as stack:
        server = socket.create_connection((host, port), timeout=_SECONDS)
        stack.enter_context(server)
        greeting = _read(server)
        if greeting[0] == _ERROR:
            return _refusal(greeting)
        if greeting[0] != 10 or b"\0" not in greeting:
            raise OSError("it does not speak MySQL's protocol")
        capabilities, number = _CAPABILITIES | (_TLS if tls else 0), 1
        if tls:
            _send(server, number, _head(capabilities))
            server, number = stack.enter_context(_WITHOUT_TRUST.wrap_socket(server)), 2
        response = _response(_nonce(greeting), database, user, password)
        _send(server, number, _head(capabilities) + response)
        answer = _read(server)
        if answer[0] == _SWITCH:
            wanted, _, data = answer[1:].partition(b"\0")
            plugin = wanted.decode(errors="replace")
            if plugin != PLUGIN:
                return Refusal(0, f"it wants {plugin} of this user, not {PLUGIN}")
            _send(server, number + 2, _scramble(data[:20], password))
            answer = _read(server)
        return None if answer[0] == _OK else _refusal(answer)


def _read(server: socket.socket) -> bytes:
    header = _exactly(server, 4)
    size = int.from_bytes(header[:3], "little")
    # A greeting and answers to it are short; other protocols' first bytes may say anything.
    if not 0 < size < 2**16:
        raise OSError("it does not speak MySQL's protocol")
    return _exactly(server, size)


def _exactly(server: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = server.recv(size - len(data))
        if not more:
            raise OSError("it closed the connection")
        data += more
    return data


def _send(server: socket.socket, number: int, data: bytes) -> None:
    server.sendall(len(data).to_bytes(3, "little") + bytes([number]) + data)


def _nonce(greeting: bytes) -> bytes:
    """The 20 bytes to be hashed with the password: 8 of them, and further down 12."""
    begin = greeting.index(b"\0", 1) + 1 + 4
    return greeting[begin : begin + 8] + greeting[begin + 27 : begin + 39]


def _head(capabilities: int) -> bytes:
    return struct.pack("<IIB23x", capabilities, 2**24 - 1, _UTF8)


def _response(nonce: bytes, database: str, user: str, password: str) -> bytes:
    hashed = _scramble(nonce, password)
    return (
        user.encode()
        + b"\0"
        + bytes([len(hashed)])
        + hashed
        + database.encode()
        + b"\0"
        + PLUGIN.encode()
        + b"\0"
    )


def _scramble(nonce: bytes, password: str) -> bytes:
    if not password:
        return b""
    once = hashlib.sha1(password.encode()).digest()
    mask = hashlib.sha1(nonce + hashlib.sha1(once).digest()).digest()
    return bytes(a ^ b for a, b in zip(once, mask, strict=True))


def _refusal(answer: bytes) -> Refusal:
    code = int.from_bytes(answer[1:3], "little")
    text = answer[3:].decode(errors="replace")
    return Refusal(code, text[6:] if text.startswith("#") else text)
