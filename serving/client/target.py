"""Where a server is and which of its models is meant; imports no TensorFlow."""

import ipaddress
import re
from typing import Literal, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from preprocessing.errors import UsageError, explain

_FORMS = (
    "http://HOST:PORT/v1/models/NAME",
    "http://HOST:PORT with --name",
    "grpc://HOST:PORT/NAME",
    "HOST:PORT with --name (gRPC)",
)
_BARE = re.compile(r"([\w.-]+|\[[0-9a-fA-F:]+\]):\d+(/.*)?")
_REST_PATH = re.compile(r"/v1/models/([^/:]+)(?:/versions/(\d+))?(?::predict)?/?")
_GRPC_PATH = re.compile(r"/([^/:]+)(?:/(?:versions/)?(\d+))?/?")


class Target(NamedTuple):
    """A model of a server.

    Attributes:
        protocol: rest or grpc.
        address: `http://host:port` or `host:port`.
        name: The model.
        version: None takes the newest.
    """

    protocol: Literal["rest", "grpc"]
    address: str
    name: str
    version: int | None

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine, which no proxy reaches."""
        host = urlsplit(self.address if "://" in self.address else f"//{self.address}").hostname
        if host == "localhost":
            return True
        try:
            return ipaddress.ip_address(host or "").is_loopback
        except ValueError:
            return False


def is_target(text: str) -> bool:
    """Tells a server's address from a folder's path."""
    return text.startswith(("http://", "https://", "grpc://")) or bool(_BARE.fullmatch(text))


def parse_target(text: str, name: str | None = None) -> Target:
    """Reads an address; with a name in both it is the option's.

    Args:
        text: One of the forms that the error lists.
        name: The model, where the address does not say.

    Raises:
        UsageError: If it is none of them, or no model is named.
    """
    parts = _split(text)
    rest = parts.scheme in ("http", "https")
    found = (_REST_PATH if rest else _GRPC_PATH).fullmatch(parts.path)
    if parts.scheme not in ("http", "https", "grpc") or not parts.hostname or parts.query:
        raise UsageError(explain("This is no server's address", text, _FORMS))
    if not found and parts.path.strip("/"):
        raise UsageError(explain("The path is not one of a model", text, _FORMS))
    model = name or (unquote(found[1]) if found else None)
    if not model:
        raise UsageError(explain("The address does not name the model", text, _FORMS))
    version = int(found[2]) if found and found[2] else None
    address = f"{parts.scheme}://{parts.netloc}" if rest else parts.netloc
    return Target("rest" if rest else "grpc", address, model, version)


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text if "://" in text else f"grpc://{text}")
        _ = parts.port  # Raises where it is no number, or too large a one.
    except ValueError:
        raise UsageError(explain("This is no server's address", text, _FORMS)) from None
    return parts
