"""What a run leaves beside its output until it is whole: `<output>.parts/`.

    .lock                       held by the run that is at work, on this machine's disks
    state.json                  what the parts were made of
    plan/                       the input in slices; made anew by every run
    part-000012.parquet         predictions of the slice of that number
    part-000012.quarantine.jsonl its rows that were set aside

A part is there whole or not at all, so that a run that was killed goes on with
the parts that are missing.
"""

import contextlib
import fcntl
import functools
import json
import posixpath
import uuid
from collections.abc import Callable, Iterator
from typing import IO, NamedTuple

import tensorflow as tf

from components.example_gen.rows import Quarantined, read_lines, write_lines
from preprocessing.errors import GraftError, UsageError, explain

_SUFFIX = ".parts"
_STATE = "state.json"
_LOCK = ".lock"
QUARANTINE = ".quarantine.jsonl"


class Parts(NamedTuple):
    """The parts of one output.

    Attributes:
        output: The file that they become.
        suffix: Its own, which is theirs as well.
    """

    output: str
    suffix: str

    @property
    def folder(self) -> str:
        """Where they are."""
        return self.output + _SUFFIX

    @property
    def plan(self) -> str:
        """Where the slices of the input are."""
        return posixpath.join(self.folder, "plan")

    @property
    def quarantine(self) -> str:
        """Where the rows that are set aside are listed in the end."""
        return self.output + QUARANTINE

    def path(self, number: int) -> str:
        """Returns the path of one slice's predictions."""
        return posixpath.join(self.folder, f"part-{number:06d}{self.suffix}")

    def is_done(self, number: int) -> bool:
        """Tells whether a slice is predicted."""
        return tf.io.gfile.exists(self.path(number))

    def finish(
        self, number: int, write: Callable[[IO[bytes]], None], set_aside: list[Quarantined]
    ) -> None:
        """Makes one part appear.

        Args:
            number: Of its slice.
            write: Writes its predictions into an open file.
            set_aside: Its rows that have none.
        """
        path = self._quarantine_of(number)
        if set_aside:
            write_lines(path, set_aside)
        elif tf.io.gfile.exists(path):
            # A run that was killed before it finished the part may have left one.
            tf.io.gfile.remove(path)
        unfinished = posixpath.join(self.folder, f".{uuid.uuid4().hex}.unfinished")
        _write(unfinished, self.path(number), write)

    def set_aside(self, count: int) -> Iterator[Quarantined]:
        """Reads what the finished ones of the first `count` parts have set aside, in order."""
        for number in range(count):
            path = self._quarantine_of(number)
            if self.is_done(number) and tf.io.gfile.exists(path):
                for fields in read_lines(path):
                    yield Quarantined(**fields)

    def _quarantine_of(self, number: int) -> str:
        return self.path(number).removesuffix(self.suffix) + QUARANTINE


@contextlib.contextmanager
def alone(parts: Parts) -> Iterator[None]:
    """Keeps other runs of this machine from the same output; a killed one holds nothing.

    Raises:
        UsageError: If another run is at work on it.
    """
    if "://" in parts.folder:  # There are no locks at an address such as gs://.
        yield
        return
    with open(posixpath.join(parts.folder, _LOCK), "a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            what = "Another run is writing this output; wait for it, or name another file"
            raise UsageError(explain(what, parts.output)) from None
        yield


def begin(parts: Parts, state: dict[str, str], overwrite: bool) -> None:
    """Takes over what an earlier run has left, or starts afresh.

    Args:
        parts: The parts.
        state: By name, digests of all that they are made of.
        overwrite: Whether what was made of something else is dropped.

    Raises:
        UsageError: If the parts are of something else, with what has changed.
    """
    path = posixpath.join(parts.folder, _STATE)
    if tf.io.gfile.exists(path):
        with tf.io.gfile.GFile(path) as file:
            before = json.load(file)
        changed = sorted(name for name in state if state[name] != before.get(name))
        if changed and not overwrite:
            what = (
                "An unfinished run has left predictions of another "
                f"{' and '.join(changed)}; go on with that, or start again with --overwrite"
            )
            raise UsageError(explain(what, parts.folder))
        if changed:
            _drop_parts(parts)
    else:
        # Nothing says what they were made of, so nothing of them is taken over.
        _drop_parts(parts)
    tf.io.gfile.makedirs(parts.folder)
    with tf.io.gfile.GFile(path + ".unfinished", "w") as file:
        file.write(json.dumps(state, indent=2) + "\n")
    tf.io.gfile.rename(path + ".unfinished", path, overwrite=True)


def drop_plan(parts: Parts) -> None:
    """Takes the plan away, and the folder where it holds nothing else."""
    for folder in (parts.plan, parts.folder):
        if tf.io.gfile.isdir(folder) and (folder == parts.plan or not _is_begun(parts)):
            tf.io.gfile.rmtree(folder)


def _is_begun(parts: Parts) -> bool:
    return tf.io.gfile.exists(posixpath.join(parts.folder, _STATE))


def _drop_parts(parts: Parts) -> None:
    if not tf.io.gfile.isdir(parts.folder):
        return
    # Listed, not matched: the output's own name may hold the signs of a pattern.
    for name in tf.io.gfile.listdir(parts.folder):
        if name.startswith("part-"):
            tf.io.gfile.remove(posixpath.join(parts.folder, name))


def put_together(parts: Parts, count: int, join: Callable[[list[str], IO[bytes]], None]) -> None:
    """Makes the output of its parts, whole or not at all.

    Args:
        parts: The parts.
        count: How many there are.
        join: Writes the parts of these paths into an open file, in their order.
    """
    paths = [parts.path(number) for number in range(count)]
    _write(parts.output + ".unfinished", parts.output, functools.partial(join, paths))


def _write(unfinished: str, target: str, write: Callable[[IO[bytes]], None]) -> None:
    try:
        with tf.io.gfile.GFile(unfinished, "wb") as file:
            # A GFile that nothing is written to makes no file.
            file.write(b"")
            write(file)
        tf.io.gfile.rename(unfinished, target, overwrite=True)
    except (OSError, tf.errors.OpError) as error:
        with contextlib.suppress(tf.errors.OpError):
            tf.io.gfile.remove(unfinished)
        why = getattr(error, "message", None) or str(error)
        raise GraftError(
            f"The predictions cannot be written: {why}\n"
            f"  Where: {target}\n"
            "  What is predicted is kept: make room and run again to go on"
        ) from error
