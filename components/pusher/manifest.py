"""What each pushed version says of itself: manifest.json; imports no TensorFlow by itself."""

import posixpath
from collections.abc import Mapping

from pydantic import ValidationError

from components.pusher.files import PushedFile, hash_file, read_chunks
from preprocessing.config import Record
from preprocessing.errors import DataError, explain

MANIFEST = "manifest.json"
# Custom property of the pushed model: why a blessed one does not serve.
HELD_BACK = "held_back"


class DataSpan(Record):
    """What the model was made of.

    Attributes:
        span: The newest one, where the source has spans.
        spans: All that the model was made of.
        fingerprint: Digest of what the source listed.
        examples: By split.
    """

    span: int | None = None
    spans: tuple[int, ...] = ()
    fingerprint: str | None = None
    examples: dict[str, int] = {}


class RunFacts(Record):
    """Where a model comes from; empty where it was not pushed by a run.

    Attributes:
        name: The pipeline's.
        run_id: The run's.
        config_digest: Of the effective config.
        backbones: Digest of each feature's backbone.
        metrics: By split, then by metric.
        data: What it was made of.
    """

    name: str = ""
    run_id: str = ""
    config_digest: str = ""
    backbones: dict[str, str] = {}
    metrics: dict[str, dict[str, float]] = {}
    data: DataSpan = DataSpan()


class RolledBack(Record):
    """Says that a version repeats an older one, and instead of which."""

    from_version: int
    to_version: int


class Manifest(RunFacts):
    """One version.

    Attributes:
        version: Its number.
        pushed_at: When, in UTC, as ISO 8601.
        model_digest: Over the files that the Trainer exported.
        exports_digest: Over the exports beside the SavedModel, if there are any.
        files: Every file but this one, by its path in the version.
        warmup_requests: How many requests a server answers to itself at first.
        load_seconds: What loading the staged copy and answering them took in a
            new process; None where it was not tried.
        first_version: The number under which this model was pushed at first;
            its own, unless it was rolled back to.
        rolled_back: From where to where, if it was.
        withdrawn: Digests of the models that were rolled back from by now; each
            version takes over those of the one before it.
    """

    version: int
    pushed_at: str
    model_digest: str
    exports_digest: str | None = None
    files: dict[str, PushedFile]
    warmup_requests: int = 0
    load_seconds: float | None = None
    first_version: int
    rolled_back: RolledBack | None = None
    withdrawn: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """Of all files together."""
        return sum(one.bytes for one in self.files.values())

    def text(self) -> str:
        """The content of manifest.json."""
        return self.model_dump_json(indent=2) + "\n"


def read_manifest(version: str) -> Manifest | None:
    """Reads the manifest of a version.

    Args:
        version: Its folder, or its address.

    Returns:
        What it says, or None of a version that was not pushed by this Pusher.

    Raises:
        DataError: If it cannot be understood.
        OSError: If it cannot be read.
    """
    try:
        text = b"".join(read_chunks(posixpath.join(version, MANIFEST)))
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        what = f"{MANIFEST} cannot be understood: {error.errors()[0]['msg']}"
        raise DataError(explain(what, version)) from None


def find_damage(version: str, files: Mapping[str, PushedFile]) -> str | None:
    """Compares a version's files with what its manifest says.

    Args:
        version: Its folder, or its address.
        files: As the manifest lists them.

    Returns:
        What differs first, or None.
    """
    for name, wanted in files.items():
        try:
            found = hash_file(posixpath.join(version, name))
        except FileNotFoundError:
            return f"{name} is missing"
        if found != wanted:
            return f"{name} is not what was pushed"
    return None
