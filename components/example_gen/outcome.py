"""Whether what was read is enough to train on, and the record of it."""

import collections
import json
import os
import statistics
from collections.abc import Mapping, Sequence

import tensorflow as tf
from absl import logging

from components.example_gen.config import SPLIT_NAMES
from components.example_gen.inspect import Inspected
from components.example_gen.label_checks import check_classes
from components.example_gen.labels import classes_of
from components.example_gen.rows import Quarantined, count_allowed, write_lines
from components.example_gen.sources.columns import Columns
from preprocessing.config import LabelConfig
from preprocessing.errors import DataError, QuarantineError, explain

QUARANTINE = "quarantine.jsonl"
INGEST = "ingest.json"

_LISTED = 10


def judge(
    inspected: Sequence[Inspected],
    quarantined: Sequence[Quarantined],
    columns: Columns,
    max_share: float,
    uri: str,
) -> None:
    """Stops the run where too little is left; keeps the list of what was lost.

    Args:
        inspected: What can be used.
        quarantined: What was set aside.
        columns: Features and label.
        max_share: The share of all that is tolerated, 0 to 1.
        uri: The artifact's folder; see `check_quarantine`.

    Raises:
        QuarantineError: If more than `max_share` is set aside.
        DataError: If a feature or a class is lost, or the labels are not what
            the task needs.
    """
    total = len(inspected) + len(quarantined)
    logging.info("%d of %d examples are usable", len(inspected), total)
    check_quarantine(quarantined, total, max_share, uri)
    try:
        check_features(inspected, columns)
        check_classes(inspected, quarantined, columns.label)
    except Exception:
        write_quarantine(_kept_list(uri), quarantined)
        raise


def check_quarantine(
    quarantined: Sequence[Quarantined],
    total: int,
    max_share: float,
    uri: str,
    key: str = "data.max_quarantined_share",
) -> None:
    """Refuses a run in which too much cannot be read; keeps the list.

    Args:
        quarantined: What was set aside.
        total: All candidates, set aside or not.
        max_share: The share that is tolerated, 0 to 1.
        uri: The artifact's folder. The list is kept beside the component's
            artifacts, since TFX deletes those of a run that fails.
        key: Of the config, that says the share.

    Raises:
        QuarantineError: If more than `max_share` of `total` is set aside.
    """
    if len(quarantined) <= count_allowed(max_share, total):
        return
    whole_list = _kept_list(uri)
    write_quarantine(whole_list, quarantined)
    lines = [f"  {one.source}: {one.reason}" for one in quarantined[:_LISTED]]
    if len(quarantined) > _LISTED:
        lines.append(f"  … and {len(quarantined) - _LISTED} more")
    raise QuarantineError(
        f"{len(quarantined)} of {total} examples cannot be used, more than "
        f"{key} = {max_share:g} allows.\n" + "\n".join(lines) + f"\n  All of them: {whole_list}"
    )


def _kept_list(uri: str) -> str:
    component, name = os.path.split(uri.rstrip("/"))
    return os.path.join(os.path.dirname(component), "quarantine", f"{name}.jsonl")


def check_features(inspected: Sequence[Inspected], columns: Columns) -> None:
    """Refuses a feature that no example has: its column is empty, or another one.

    Raises:
        DataError: With the feature and its column.
    """
    for name, feature in columns.features.items():
        if not any(example.row.values[name] for example in inspected):
            what = f"features.{name}: no usable example has a value in this column."
            raise DataError(explain(what, feature.column))


def summarise(
    inspected: Sequence[Inspected],
    splits: Sequence[str],
    quarantined: Sequence[Quarantined],
    columns: Columns,
    notes: Sequence[str] = (),
) -> dict:
    """Counts what came of the data.

    Returns:
        `examples` by split, `quarantined`, `missing` by feature and split,
        `duplicates` (`across_splits`: contents that are in more than one split;
        `across_classes`: contents with more than one label), `notes`, and
        `classes` by label and split, or for numbers `label` by split with its
        `min`, `mean` and `max`.
    """
    names = [name for name in SPLIT_NAMES if name in set(splits)]
    sizes = collections.Counter(splits)
    missing = {name: dict.fromkeys(names, 0) for name in columns.features}
    for example, split in zip(inspected, splits, strict=True):
        for name, value in example.row.values.items():
            missing[name][split] += not value
    duplicates = _duplicates(inspected, splits, columns.label)
    notes = list(notes)
    if leaks := duplicates["across_splits"]:
        notes.append(f"{leaks} contents are in more than one split, so its figures are too good")
    if conflicts := duplicates["across_classes"]:
        one_class = columns.label.task in ("multiclass", "binary")
        what = "are in more than one class" if one_class else "have more than one label"
        notes.append(f"{conflicts} contents {what}")
    return {
        "examples": {name: sizes[name] for name in names},
        "quarantined": len(quarantined),
        **_labels(inspected, splits, names, columns.label),
        "missing": missing,
        "duplicates": duplicates,
        "notes": notes,
    }


def _labels(
    inspected: Sequence[Inspected], splits: Sequence[str], names: Sequence[str], label: LabelConfig
) -> dict:
    if label.task == "regression":
        values: dict[str, list[float]] = {name: [] for name in names}
        for example, split in zip(inspected, splits, strict=True):
            values[split].append(float(example.row.label))
        return {
            "label": {
                name: {"min": min(some), "mean": statistics.fmean(some), "max": max(some)}
                for name, some in values.items()
            }
        }
    classes: dict[str, dict[str, int]] = {}
    for example, split in zip(inspected, splits, strict=True):
        for one in classes_of(example.row.label, label):
            classes.setdefault(one, dict.fromkeys(names, 0))[split] += 1
    return {"classes": {one: classes[one] for one in sorted(classes)}}


def _duplicates(
    inspected: Sequence[Inspected], splits: Sequence[str], label: LabelConfig
) -> dict[str, int]:
    # Only the first of each is kept: two sets for each of 20,000 contents took a second.
    first_split: dict[str, str] = {}
    first_label: dict[str, object] = {}
    across_splits, across_classes = set(), set()
    for example, split in zip(inspected, splits, strict=True):
        content, text = example.content, example.row.label
        # Neither "1" and "1.0" nor "a|b" and "b|a" are two labels.
        own = float(text) if label.task == "regression" else frozenset(classes_of(text, label))
        if first_split.setdefault(content, split) != split:
            across_splits.add(content)
        if first_label.setdefault(content, own) != own:
            across_classes.add(content)
    return {"across_splits": len(across_splits), "across_classes": len(across_classes)}


def write_quarantine(path: str, quarantined: Sequence[Quarantined]) -> None:
    """Writes one line of JSON for each example set aside; creates the folder."""
    tf.io.gfile.makedirs(os.path.dirname(path))
    write_lines(path, quarantined)


def write_summary(path: str, summary: Mapping) -> None:
    """Writes what `summarise` counted."""
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(json.dumps(summary, ensure_ascii=False, indent=2) + "\n")
