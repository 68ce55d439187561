"""Fetches the archive behind a hub URL, whole or not at all.

The request is the one that tensorflow_hub's resolver makes (a test compares
them on a real server); the transfer is ours, because the resolver unpacks
while it reads, and so takes a body that ends early at a file's edge for a
whole one, waits without a time limit, and bounds no sizes.
"""

import http.client
import urllib.error
import urllib.request
from pathlib import Path
from typing import BinaryIO
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from preprocessing.errors import BackboneError, explain
from preprocessing.progress import report

TIMEOUT_SECONDS = 60
CHUNK_BYTES = 2**20
MAX_BYTES = 8 * 2**30

_REASONS = {
    401: "it wants a login",
    403: "it refuses access (a private model, a licence to be accepted, or a proxy)",
    404: "it knows no such model or version",
    429: "it was asked too often; try again later",
}


def compressed_url(url: str) -> str:
    """Asks for the compressed form, as tensorflow_hub does.

    Args:
        url: The URL of a model's page or of an archive.

    Returns:
        The URL with `tf-hub-format=compressed` appended to its query.
    """
    parts = urlsplit(url)
    query = [*parse_qsl(parts.query), ("tf-hub-format", "compressed")]
    return urlunsplit(parts._replace(query=urlencode(query)))


def download(url: str, destination: Path, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
    """Writes the archive that a URL leads to.

    Redirects are followed. Progress is reported in bytes.

    Args:
        url: The URL as the config gives it.
        destination: File to write.
        timeout_seconds: How long the server may stay silent.

    Raises:
        BackboneError: If the server cannot be reached, refuses, redirects away
            from https, sends fewer bytes than it announced, or too many.
    """
    request = urllib.request.Request(compressed_url(url))
    try:
        with urllib.request.urlopen(request, timeout=timeout_seconds) as response:
            if url.startswith("https:") and not response.geturl().startswith("https:"):
                raise BackboneError(
                    explain("The server redirects from https:// to something else.", url)
                )
            with destination.open("wb") as sink:
                _copy(response, sink, url)
    except urllib.error.HTTPError as error:
        reason = _REASONS.get(error.code, error.reason)
        raise BackboneError(
            explain(f"The server answered {error.code}: {reason}.", url, see=offline_advice("hub"))
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise BackboneError(unreachable(url, error, "hub")) from error


def unreachable(url: str, error: Exception, kind: str) -> str:
    """The one message for a server that cannot be reached.

    Args:
        url: What was asked for.
        error: What went wrong.
        kind: Kind of the handle, for what to do instead.

    Returns:
        The message.
    """
    reason = getattr(error, "reason", None) or error
    return explain(f"No answer from the network: {reason}.", url, see=offline_advice(kind))


def offline_advice(kind: str) -> str:
    """What to do where there is no network.

    Args:
        kind: Kind of the handle.

    Returns:
        One sentence.
    """
    if kind == "keras":
        return (
            "download the weight file elsewhere and name it with `weights: PATH`, or run once "
            "where there is a network; later runs need none"
        )
    if kind == "hf":
        return (
            "download the model's files elsewhere and write `hf:PATH` of their folder, or pin "
            "`digest:` and bring the store of a machine that has it; once vendored, no run needs "
            "the network"
        )
    return (
        "download the .tar.gz elsewhere and write `hub:PATH`, or pin `digest:` and bring the "
        "store of a machine that has it; once vendored, no run needs the network"
    )


def _copy(response: http.client.HTTPResponse, sink: BinaryIO, url: str) -> None:
    """Copies a body and checks its length."""
    announced = int(response.headers.get("Content-Length") or 0)
    done = 0
    while chunk := response.read(CHUNK_BYTES):
        done += len(chunk)
        if done > MAX_BYTES:
            raise BackboneError(explain(f"The download is larger than {MAX_BYTES} bytes.", url))
        sink.write(chunk)
        report("Backbone", done, announced, "bytes")
    if done < announced:
        raise BackboneError(
            explain(
                f"The download broke off after {done} of {announced} bytes; run again.",
                url,
                see=offline_advice("hub"),
            )
        )
