"""What is remembered of the models that were blessed, and which one is the baseline."""

import posixpath
import re
from collections.abc import Sequence

import tensorflow as tf
from pydantic import ValidationError

from components.pusher.manifest import Manifest
from preprocessing.config import Record
from preprocessing.errors import DataError, explain

# As many as a server is likely to be rolled back over.
KEPT = 5
_NAME = re.compile(r"(\d+)\.json")


class Note(Record):
    """One blessed model; each address is that of an artifact.

    Attributes:
        blessed_at: Milliseconds since 1970.
        model: The model.
        model_digest: Over the files that the Trainer exported.
        model_blessing: What the gate said.
        model_run: What the Trainer left beside it.
        infra_blessing: What serving validation said, if it was asked.
    """

    blessed_at: int
    model: str
    model_digest: str
    model_blessing: str
    model_run: str
    infra_blessing: str | None = None


def write_note(folder: str, note: Note) -> None:
    """Adds a note, and takes away those that nobody will look for.

    Args:
        folder: Of one pipeline's notes; made where it is missing.
        note: Of the model that was just blessed.
    """
    tf.io.gfile.makedirs(folder)
    path = posixpath.join(folder, f"{note.blessed_at}.json")
    # Under its name once it is whole.
    with tf.io.gfile.GFile(f"{path}.part", "w") as file:
        file.write(note.model_dump_json(indent=2) + "\n")
    tf.io.gfile.rename(f"{path}.part", path, overwrite=True)
    for old in _paths(folder)[KEPT:]:
        tf.io.gfile.remove(old)
        copied = old.removesuffix(".json")
        if tf.io.gfile.isdir(copied):
            tf.io.gfile.rmtree(copied)


def read_notes(folder: str) -> list[Note]:
    """Reads the notes of a pipeline, the newest first; none where there is no folder.

    Raises:
        DataError: If one cannot be understood; leaving it out would compare with the
            wrong model.
    """
    return [_read(path) for path in _paths(folder)]


def _read(path: str) -> Note:
    with tf.io.gfile.GFile(path) as file:
        text = file.read()
    try:
        return Note.model_validate_json(text)
    except ValidationError as error:
        what = f"The note of a blessed model cannot be understood: {error.errors()[0]['msg']}"
        see = "the image that wrote it; without the file, the one before it counts"
        raise DataError(explain(what, path, see=see)) from None


def choose(notes: Sequence[Note], serving: Manifest | None) -> Note | None:
    """Chooses the baseline as `pipeline.baseline.ServingModel` does.

    Args:
        notes: The newest first.
        serving: What is known of the model that serves, if that is because of a
            rollback.

    Returns:
        Of the last blessed model; after a rollback of the one that serves, or else
        of the last that was not rolled back from. None if there is no such one.
    """
    if serving is None:
        return next(iter(notes), None)
    same = [note for note in notes if note.model_digest == serving.model_digest]
    others = [note for note in notes if note.model_digest not in serving.withdrawn]
    return next(iter([*same, *others]), None)


def _paths(folder: str) -> list[str]:
    """The newest first."""
    if not tf.io.gfile.isdir(folder):
        return []
    found = [match for name in tf.io.gfile.listdir(folder) if (match := _NAME.fullmatch(name))]
    found.sort(key=lambda match: int(match[1]), reverse=True)
    return [posixpath.join(folder, match[0]) for match in found]
