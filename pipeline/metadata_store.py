"""The one way to ML Metadata, which notes what every run did.

Nobody else builds a connection. The password is in none: the libraries in which ML
Metadata reaches a server take it from the environment, so it cannot get into a log, an
IR or a message.
"""

import contextlib
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2

from pipeline.config import Config
from pipeline.metadata_config import ServerMetadata
from pipeline.postgres_texts import mend_texts

# Where libmariadb and libpq look for the password of a connection that names none.
_PASSWORD = {"mysql": "MYSQL_PWD", "postgresql": "PGPASSWORD"}


def connection_of(config: Config) -> metadata_store_pb2.ConnectionConfig:
    """Says how ML Metadata reaches the database; the password goes into the environment.

    Args:
        config: The checked config.
    """
    metadata = config.metadata
    if metadata.kind == "sqlite":
        return sqlite_connection(config.local_folder / "metadata.sqlite")
    if metadata.password_variable and metadata.password_variable in os.environ:
        os.environ[_PASSWORD[metadata.kind]] = os.environ[metadata.password_variable]
    else:
        os.environ.pop(_PASSWORD[metadata.kind], None)
    return _SERVERS[metadata.kind](metadata)


def sqlite_connection(path: str | Path) -> metadata_store_pb2.ConnectionConfig:
    """Names a SQLite file, which is made where it is absent; its folder is there."""
    connection = metadata_store_pb2.ConnectionConfig()
    connection.sqlite.filename_uri = str(path)
    connection.sqlite.connection_mode = (
        metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    )
    return connection


def open_store(config: Config) -> metadata_store.MetadataStore:
    """Opens the database of a config.

    Raises:
        RuntimeError: It cannot be reached; `metadata_check.check_metadata` says why.
    """
    return metadata_store.MetadataStore(connection_of(config))


def is_begun(config: Config) -> bool:
    """Whether there is anything to open yet: SQLite's file comes with the first run."""
    if config.metadata.kind != "sqlite":
        return True
    return (config.local_folder / "metadata.sqlite").is_file()


def user_of(metadata: ServerMetadata) -> str:
    """The user's name, from the environment; empty where it is not set."""
    return os.environ.get(metadata.user_variable, "")


def _mysql(metadata: ServerMetadata) -> metadata_store_pb2.ConnectionConfig:
    connection = metadata_store_pb2.ConnectionConfig()
    server = connection.mysql
    # By this name the library looks for a socket file, whatever the port is.
    host = "127.0.0.1" if metadata.host == "localhost" else metadata.host
    server.host, server.port = host, metadata.port
    server.database, server.user = metadata.database, user_of(metadata)
    server.skip_db_creation = True
    return connection


def _postgresql(metadata: ServerMetadata) -> metadata_store_pb2.ConnectionConfig:
    mend_texts()
    connection = metadata_store_pb2.ConnectionConfig()
    server = connection.postgresql
    server.host, server.port = metadata.host, str(metadata.port)
    server.dbname, server.user = metadata.database, user_of(metadata)
    server.skip_db_creation = True
    return connection


@contextlib.contextmanager
def unlogged_connection() -> Iterator[None]:
    """Keeps TFX's local runner from logging the connection, which names the user."""

    def is_other(record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith(("Using deployment config", "Using connection"))

    logger = logging.getLogger("absl")
    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)


_SERVERS: Mapping[str, Callable[[ServerMetadata], metadata_store_pb2.ConnectionConfig]] = {
    "mysql": _mysql,
    "postgresql": _postgresql,
}
