"""Where TFX notes what every run did, as the user writes it; imports no TensorFlow.

A new kind of database is a record here, added to `MetadataConfig`, a function in
metadata_store.py that tells ML Metadata of it, and one in metadata_check.py.
"""

from typing import Annotated, Literal, Union

from pydantic import Field

from preprocessing.config import Record

Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=64)]


class SqliteMetadata(Record):
    """A file in the working folder; for one machine."""

    kind: Literal["sqlite"] = "sqlite"


class _ServerMetadata(Record):
    """A database on a server, which several machines can share.

    What names a person or lets one in is never written here: the environment has it.
    """

    host: str = Field(min_length=1, pattern=r"^[A-Za-z0-9_.:-]+$", examples=["db.example.com"])
    database: str = Field(
        pattern=r"^[A-Za-z0-9_-]+$", max_length=63, examples=["graft"], description="is there"
    )
    user_variable: Variable = Field(
        "GRAFT_METADATA_USER", description="environment variable that holds the user's name"
    )
    password_variable: Variable | None = Field(
        "GRAFT_METADATA_PASSWORD",
        description="environment variable that holds the password; null: none is asked for",
    )


class MySqlMetadata(_ServerMetadata):
    """MySQL or MariaDB."""

    kind: Literal["mysql"]
    port: int = Field(3306, gt=0, lt=65536)


class PostgreSqlMetadata(_ServerMetadata):
    """PostgreSQL."""

    kind: Literal["postgresql"]
    port: int = Field(5432, gt=0, lt=65536)


ServerMetadata = MySqlMetadata | PostgreSqlMetadata
MetadataConfig = Annotated[
    Union[SqliteMetadata, MySqlMetadata, PostgreSqlMetadata],  # noqa: UP007
    Field(discriminator="kind"),
]
