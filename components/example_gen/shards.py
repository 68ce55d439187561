"""Files of tf.Examples: which example goes where, and how one is written.

An example holds each feature under its name: a picture's encoded bytes and
`<feature>_width`, `_height`, `_bytes` (int64) and `_format` (text); a text and
`<feature>_characters` (int64); a category as text; a number as a float. What is
missing is empty or NaN, and 0 in the columns beside it. Further the label and
carried columns as text, and `source`. A column that every example gets is added
to `build_example`.
"""

import collections
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import tensorflow as tf

from components.example_gen.inspect import Inspected, Picture, read_picture
from components.example_gen.rows import Row, UnusableError, partial_path, read_lines
from components.example_gen.sources.columns import Columns
from preprocessing.errors import DataError

SOURCE = "source"

# Pictures held in memory at a time while a shard is written.
_WINDOW = 32
# Of these, read by one thread in turn: to hand over each takes as long as to read it.
_GROUP = 4

_NO_PICTURE = Picture("", "", 0, 0, 0)


def plan_shards(
    inspected: Sequence[Inspected], splits: Sequence[str], shard_examples: int
) -> dict[str, list[Inspected]]:
    """Deals examples out to files.

    Inside a split they are sorted by content, which mixes the classes in a way
    that only depends on the data, and dealt out evenly.

    Args:
        inspected: All usable examples.
        splits: The split of each.
        shard_examples: Examples in one file, at most.

    Returns:
        The examples of each file by its path, relative to the artifact.
    """
    by_split: dict[str, list[Inspected]] = collections.defaultdict(list)
    for example, split in zip(inspected, splits, strict=True):
        by_split[split].append(example)
    plan = {}
    for split, examples in by_split.items():
        examples.sort(key=lambda example: (example.content, example.row.source))
        count = -(-len(examples) // shard_examples)
        for index in range(count):
            name = f"Split-{split}/data_tfrecord-{index:05d}-of-{count:05d}"
            start, end = (len(examples) * at // count for at in (index, index + 1))
            plan[name] = examples[start:end]
    return plan


def write_shard(plan_path: str, path: str, columns: Columns, threads: int) -> int:
    """Writes one file of examples, whole or not at all.

    Not compressed: gzip made 2,370 small photos 7 % smaller and their writing
    three times as slow.

    Args:
        plan_path: Lines of JSON, one `Inspected` each.
        path: The file to write.
        columns: Features and label.
        threads: How many pictures are read at a time.

    Returns:
        How many examples were written.

    Raises:
        DataError: If a picture changed or went away since it was inspected.
    """

    def serialize(group: Sequence[Inspected]) -> list[bytes]:
        return [serialized(to_example(one, columns)) for one in group]

    partial = partial_path(plan_path)
    count = 0
    with tf.io.TFRecordWriter(partial) as writer, ThreadPoolExecutor(threads) as pool:
        for window in _windows(read_lines(plan_path), _WINDOW):
            groups = [window[start : start + _GROUP] for start in range(0, len(window), _GROUP)]
            for group in pool.map(serialize, groups):
                for example in group:
                    writer.write(example)
            count += len(window)
    tf.io.gfile.makedirs(os.path.dirname(path))
    tf.io.gfile.rename(partial, path, overwrite=True)
    return count


def inspected_from(fields: Mapping) -> Inspected:
    """Restores an `Inspected` from its JSON fields."""
    return Inspected(Row(**fields["row"]), pictures_from(fields["pictures"]))


def pictures_from(fields: Mapping) -> dict[str, Picture]:
    """Restores what is known of pictures, by feature, from JSON fields."""
    return {name: Picture(**picture) for name, picture in fields.items()}


def to_example(example: Inspected, columns: Columns) -> tf.train.Example:
    """Reads an example's pictures again and builds its tf.Example.

    Raises:
        DataError: If a picture changed or went away since it was inspected.
    """
    source = example.row.source
    encoded = {}
    for name in example.pictures:
        try:
            encoded[name] = read_picture(example.row.values[name])
        except UnusableError as error:
            raise DataError(f"{source} went away during the run ({error}); run again") from error
        if hashlib.sha256(encoded[name]).hexdigest() != example.pictures[name].sha256:
            raise DataError(f"{source} changed during the run; run again")
    return build_example(example, encoded, columns)


def build_example(
    example: Inspected, encoded: Mapping[str, bytes], columns: Columns
) -> tf.train.Example:
    """Builds a tf.Example with all its columns.

    Args:
        example: What is known of it.
        encoded: The pictures that it has, by feature.
        columns: Features and label.

    Returns:
        The example.
    """
    row = example.row
    cells: dict[str, bytes | int | float] = {
        name: row.carried[name].encode() for name in row.carried
    }
    cells |= {SOURCE: row.source.encode(), columns.label.name: row.label.encode()}
    for name, feature in columns.features.items():
        value = row.values[name]
        if feature.kind == "image":
            picture = example.pictures.get(name, _NO_PICTURE)
            cells[name] = encoded.get(name, b"")
            cells[f"{name}_width"] = picture.width
            cells[f"{name}_height"] = picture.height
            cells[f"{name}_bytes"] = picture.bytes
            cells[f"{name}_format"] = picture.format.encode()
        elif feature.kind == "numeric":
            cells[name] = float(value or "nan")
        else:
            cells[name] = value.encode()
        if feature.kind == "text":
            cells[f"{name}_characters"] = len(value)
    built = tf.train.Example()
    # Filled in place, which is twice as fast as making a message of each part.
    features = built.features.feature
    for name, cell in cells.items():
        one = features[name]
        values = one.bytes_list if isinstance(cell, bytes) else _number_list(one, cell)
        values.value.append(cell)
    return built


def serialized(example: tf.train.Example) -> bytes:
    """Gives an example's bytes, the same in every run: columns are in order."""
    return example.SerializeToString(deterministic=True)


def _number_list(one: tf.train.Feature, cell: int | float) -> Any:
    return one.float_list if isinstance(cell, float) else one.int64_list


def _windows(lines: Iterator[dict], size: int) -> Iterator[list[Inspected]]:
    window = []
    for fields in lines:
        window.append(inspected_from(fields))
        if len(window) == size:
            yield window
            window = []
    if window:
        yield window
