"""Whether the database of a config can be used, and if not, why: asked before a run begins.

A new reason to refuse is a line in `_MYSQL` or `_POSTGRESQL`.
"""

import contextlib
import os
import re
import socket
import tempfile
from collections.abc import Iterator
from typing import IO, NoReturn

from pipeline.config import Config
from pipeline.metadata_config import ServerMetadata
from pipeline.metadata_store import open_store, user_of
from pipeline.mysql_login import PLUGIN, Refusal, log_in
from preprocessing.errors import UsageError, explain

_SECONDS = 10.0
_SEE = "docs/storage.md"

_TLS = (
    "the server wants TLS, which ml-metadata's clients are built without; have a tunnel on "
    "this machine speak TLS to it"
)
_NO_ENTRY = (
    "pg_hba.conf of the server has no line that lets this user in from here without TLS, which "
    "ml-metadata's clients are built without; add one, or have a tunnel on this machine speak "
    "TLS to it"
)
_NO_DATABASE = "the server has no such database, or the user may not use it: make it first"

# By MySQL's numbers of errors; what is not here is told in the server's words.
_TLS_WANTED = 3159
_MYSQL = {1044: "database", 1045: "user", 1049: "database", 1698: "user", _TLS_WANTED: "tls"}
_POSTGRESQL = (
    (re.compile(r"no pg_hba\.conf entry"), "entry"),
    (re.compile(r"authentication failed|no password supplied|role .* does not exist"), "user"),
    (re.compile(r"database .* does not exist|permission denied for database"), "database"),
)


def check_metadata(config: Config) -> None:
    """Reaches the database as a run will, and makes ML Metadata's tables where they lack.

    Args:
        config: The checked config.

    Raises:
        UsageError: It cannot be used; the message has neither user nor password.
    """
    metadata = config.metadata
    if metadata.kind == "sqlite":
        return
    _check_variables(metadata)
    _check_answers(metadata)
    if metadata.kind == "mysql":
        _check_login(metadata)
    with _standard_error() as said:
        try:
            open_store(config).get_execution_types()
        except Exception as error:
            said.seek(0)
            _refuse(metadata, str(error), said.read())


def _check_variables(metadata: ServerMetadata) -> None:
    for key in ("user_variable", "password_variable"):
        name = getattr(metadata, key)
        if name and not os.environ.get(name):
            raise UsageError(
                explain(f"metadata.{key}: this environment variable is not set", name, see=_SEE)
            )


def _check_answers(metadata: ServerMetadata) -> None:
    try:
        socket.create_connection((metadata.host, metadata.port), timeout=_SECONDS).close()
    except OSError as error:
        what = f"metadata: no server answers there: {error.strerror or error}"
        raise UsageError(explain(what, _place(metadata), see=_SEE)) from None


def _check_login(metadata: ServerMetadata) -> None:
    given = metadata.host, metadata.port, metadata.database, user_of(metadata)
    try:
        refusal = log_in(*given, _password_of(metadata))
        if refusal is not None and _MYSQL.get(refusal.code) == "user":
            # MariaDB says the same of a user whom it would let in by TLS.
            with contextlib.suppress(OSError):
                if log_in(*given, _password_of(metadata), tls=True) is None:
                    refusal = Refusal(_TLS_WANTED, refusal.text)
    except OSError as error:
        what = f"metadata: the server cannot be talked to: {error}"
        raise UsageError(explain(what, _place(metadata), see=_SEE)) from None
    if refusal is None:
        return
    if refusal.code == 0:
        what = f"metadata: ml-metadata logs in by {PLUGIN} alone: {refusal.text}"
        raise UsageError(explain(what, _place(metadata), see=_SEE))
    _raise(metadata, _MYSQL.get(refusal.code, ""), refusal.text)


def _refuse(metadata: ServerMetadata, error: str, said: str) -> NoReturn:
    """Explains what ML Metadata raised; of PostgreSQL's reasons it only logs the text."""
    lines = re.findall(r"PostgreSQL error: (?:FATAL: *)?(.*)", said)
    text = lines[0] if lines else error
    kinds = [kind for form, kind in _POSTGRESQL if form.search(text)]
    _raise(metadata, kinds[0] if kinds else "", text)


def _raise(metadata: ServerMetadata, kind: str, text: str) -> NoReturn:
    if kind == "database":
        message = explain(f"metadata.database: {_NO_DATABASE}", metadata.database, see=_SEE)
    elif kind in ("tls", "entry"):
        what = _TLS if kind == "tls" else _NO_ENTRY
        message = explain(f"metadata: {what}", _place(metadata), see=_SEE)
    elif kind == "user":
        held = " and ".join(filter(None, (metadata.user_variable, metadata.password_variable)))
        what = f"metadata: the server refuses the user or the password; they come from {held}"
        message = explain(what, _place(metadata), see=_SEE)
    else:
        what = f"metadata: the database cannot be used: {_without_secrets(metadata, text)}"
        message = explain(what, f"{_place(metadata)}/{metadata.database}", see=_SEE)
    raise UsageError(message) from None


def _without_secrets(metadata: ServerMetadata, text: str) -> str:
    for secret in (_password_of(metadata), user_of(metadata)):
        text = text.replace(secret, "…") if secret else text
    return text.strip().splitlines()[0] if text.strip() else "ml-metadata does not say why"


def _password_of(metadata: ServerMetadata) -> str:
    return os.environ.get(metadata.password_variable or "", "")


def _place(metadata: ServerMetadata) -> str:
    return f"{metadata.host}:{metadata.port}"


@contextlib.contextmanager
def _standard_error() -> Iterator[IO[str]]:
    """Gives what C++ writes to standard error meanwhile, in a file."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as file:
        before = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield file
        finally:
            os.dup2(before, 2)
            os.close(before)
