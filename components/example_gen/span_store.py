"""Spans that were read already, kept as the examples that came of them.

    <root>/<key>/Split-train/…      tf.Examples, as an Examples artifact has them
    <root>/<key>/inspected.jsonl    what is known of each example
    <root>/<key>/quarantine.jsonl   what was set aside
    <root>/<key>/span.json          sizes of all files; written last, so that a folder
                                    without it, or with others, is not whole

A span is kept under a digest of what its examples are made of, so it is read anew
when its data, the columns that are asked for or our code change.
"""

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Sequence

import tensorflow as tf
from absl import logging

from components.example_gen.config import DataConfig
from components.example_gen.rows import partial_path, write_lines
from components.example_gen.sources.columns import Columns
from components.example_gen.spans import Span

MARK = "span.json"

_KEY = re.compile("[0-9a-f]{32}")


def key_of(span: Span, config: DataConfig, columns: Columns, code_digest: str) -> str:
    """Digests what a span's examples are made of.

    Args:
        span: With the fingerprint of its data.
        config: Splits, and the size of a shard.
        columns: What is asked of the data.
        code_digest: Of our own code.
    """
    made_of = [
        span.name,
        span.fingerprint,
        config.splits.model_dump(mode="json"),
        config.shard_examples,
        columns.model_dump(mode="json"),
        code_digest,
    ]
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:32]


def seal(folder: str) -> None:
    """Says of a folder that it is whole."""
    sizes = {name: tf.io.gfile.stat(f"{folder}/{name}").length for name in _files_below(folder)}
    write_lines(f"{folder}/{MARK}", [{"files": sizes}])


def files_in(folder: str) -> list[str]:
    """Lists the files of a sealed folder, sorted; none where it is not whole."""
    try:
        with tf.io.gfile.GFile(f"{folder}/{MARK}") as file:
            sizes = json.loads(file.read())["files"]
        whole = all(tf.io.gfile.stat(f"{folder}/{n}").length == size for n, size in sizes.items())
    except (tf.errors.OpError, ValueError, KeyError):
        return []
    return sorted(sizes) if whole else []


def place(source: str, target: str) -> None:
    """Puts a file that never changes in a second place: on one disk, at no cost."""
    tf.io.gfile.makedirs(os.path.dirname(target))
    if "://" not in source + target:
        with contextlib.suppress(OSError):
            os.link(source, target)
            return
    # Whole or not at all.
    partial = partial_path(target)
    tf.io.gfile.copy(source, partial)
    tf.io.gfile.rename(partial, target, overwrite=True)


def keep(folder: str, root: str, key: str) -> None:
    """Keeps a sealed folder, if that is possible."""
    target = f"{root}/{key}"
    try:
        if not files_in(target):
            if tf.io.gfile.exists(target):
                tf.io.gfile.rmtree(target)
            for name in files_in(folder):
                place(f"{folder}/{name}", f"{target}/{name}")
            place(f"{folder}/{MARK}", f"{target}/{MARK}")
    except (tf.errors.OpError, OSError) as error:
        logging.warning("The span cannot be kept in %s: %s", root, error)


def prune(root: str, used: Sequence[str]) -> None:
    """Deletes what was kept longest ago, beside the spans in use and as many others.

    Args:
        root: Of the store.
        used: Keys of the spans that the run took.
    """
    try:
        names = [name.rstrip("/") for name in tf.io.gfile.listdir(root)]
        # Who names a folder of his own for the store may have other things in it.
        others = [name for name in names if _KEY.fullmatch(name) and name not in used]
        others.sort(key=lambda name: _kept_at(f"{root}/{name}"), reverse=True)
        for name in others[len(used) :]:
            tf.io.gfile.rmtree(f"{root}/{name}")
    except (tf.errors.OpError, OSError) as error:
        logging.warning("Old spans cannot be deleted from %s: %s", root, error)


def _kept_at(folder: str) -> int:
    mark = f"{folder}/{MARK}"
    return tf.io.gfile.stat(mark).mtime_nsec if tf.io.gfile.exists(mark) else 0


def _files_below(folder: str) -> list[str]:
    return [
        os.path.join(place, name)[len(folder) :].lstrip("/")
        for place, _, names in tf.io.gfile.walk(folder)
        for name in names
    ]
