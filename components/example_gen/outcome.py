"""Whether what was read is enough to train on, and the record of it."""

import collections
import json
import os
from collections.abc import Mapping, Sequence

import tensorflow as tf

from components.example_gen.config import SPLIT_NAMES
from components.example_gen.inspect import Inspected
from components.example_gen.rows import Quarantined, write_lines
from preprocessing.errors import DataError, QuarantineError, explain

QUARANTINE = "quarantine.jsonl"
INGEST = "ingest.json"

_LISTED = 10


def judge(
    inspected: Sequence[Inspected],
    quarantined: Sequence[Quarantined],
    max_share: float,
    uri: str,
) -> None:
    """Stops the run where too little is left; keeps the list of what was lost.

    Args:
        inspected: What can be used.
        quarantined: What was set aside.
        max_share: The share of all that is tolerated, 0 to 1.
        uri: The artifact's folder. The list is kept beside the component's
            artifacts, since TFX deletes those of a run that fails.

    Raises:
        QuarantineError: If more than `max_share` is set aside.
        DataError: If a class is lost, or there are fewer than two.
    """
    component, name = os.path.split(os.path.normpath(uri))
    kept = os.path.join(os.path.dirname(component), "quarantine", f"{name}.jsonl")
    try:
        check_quarantine(quarantined, len(inspected) + len(quarantined), max_share, kept)
        check_classes(inspected, quarantined)
    except Exception:
        write_quarantine(kept, quarantined)
        raise


def check_quarantine(
    quarantined: Sequence[Quarantined], total: int, max_share: float, whole_list: str
) -> None:
    """Refuses a run in which too much cannot be read.

    Args:
        quarantined: What was set aside.
        total: All candidates, set aside or not.
        max_share: The share that is tolerated, 0 to 1.
        whole_list: Where all of them can be read.

    Raises:
        QuarantineError: If more than `max_share` of `total` is set aside.
    """
    if len(quarantined) <= max_share * total:
        return
    lines = [f"  {one.source}: {one.reason}" for one in quarantined[:_LISTED]]
    if len(quarantined) > _LISTED:
        lines.append(f"  … and {len(quarantined) - _LISTED} more")
    raise QuarantineError(
        f"{len(quarantined)} of {total} examples cannot be used, more than "
        f"data.max_quarantined_share = {max_share:g} allows.\n"
        + "\n".join(lines)
        + f"\n  All of them: {whole_list}"
    )


def check_classes(inspected: Sequence[Inspected], quarantined: Sequence[Quarantined]) -> None:
    """Refuses a class of which nothing is left, and fewer than two classes.

    Raises:
        DataError: With the class and the first reason, or the only class.
    """
    usable = {example.row.label for example in inspected}
    for one in quarantined:
        if one.label is not None and one.label not in usable:
            raise DataError(
                explain(
                    f"No usable example is left of class {one.label!r}; the first is "
                    f"{one.source}: {one.reason}",
                    f"0 usable of {sum(q.label == one.label for q in quarantined)}",
                )
            )
    if len(usable) < 2:
        raise DataError(
            explain("A classifier needs at least two classes in the data.", sorted(usable))
        )


def check_splits(
    inspected: Sequence[Inspected],
    splits: Sequence[str],
    planned: Sequence[str] = ("train", "eval"),
) -> None:
    """Refuses splits that cannot be trained on or evaluated.

    Args:
        inspected: All usable examples.
        splits: The split of each.
        planned: Splits that later components wait for.

    Raises:
        DataError: If a planned split is empty, or a class only occurs outside train.
    """
    sizes = collections.Counter(splits)
    if not sizes["train"]:
        raise DataError(explain("No example is in the train split.", dict(sizes)))
    for name in planned:
        if not sizes[name]:
            raise DataError(
                explain(
                    f"No example is in the {name} split: the classes are too small for the ratio "
                    f"in data.splits. Give more examples, a larger {name} share, or "
                    "stratify: false.",
                    dict(sizes),
                )
            )
    trained = {
        one.row.label for one, split in zip(inspected, splits, strict=True) if split == "train"
    }
    for example, split in zip(inspected, splits, strict=True):
        if example.row.label not in trained:
            raise DataError(
                explain(
                    f"{example.row.source}: class {example.row.label!r} occurs in {split} but "
                    "not in train, so no model can learn it.",
                    example.row.label,
                    sorted(trained),
                )
            )


def summarise(
    inspected: Sequence[Inspected],
    splits: Sequence[str],
    quarantined: Sequence[Quarantined],
    notes: Sequence[str],
) -> dict:
    """Counts what came of the data.

    Returns:
        `examples` by split, `quarantined`, `classes` by label and split,
        `duplicates` (`across_splits`: contents that are in more than one split;
        `across_classes`: contents with more than one label) and `notes`.
    """
    names = [name for name in SPLIT_NAMES if name in set(splits)]
    sizes = collections.Counter(splits)
    classes: dict[str, dict[str, int]] = {}
    seen_splits: dict[str, set[str]] = collections.defaultdict(set)
    seen_labels: dict[str, set[str]] = collections.defaultdict(set)
    for example, split in zip(inspected, splits, strict=True):
        label, content = example.row.label, example.content
        classes.setdefault(label, dict.fromkeys(names, 0))[split] += 1
        seen_splits[content].add(split)
        seen_labels[content].add(label)
    leaks = sum(len(found) > 1 for found in seen_splits.values())
    conflicts = sum(len(found) > 1 for found in seen_labels.values())
    notes = list(notes)
    if leaks:
        notes.append(f"{leaks} contents are in more than one split, so its figures are too good")
    if conflicts:
        notes.append(f"{conflicts} contents are in more than one class")
    return {
        "examples": {name: sizes[name] for name in names},
        "quarantined": len(quarantined),
        "classes": {label: classes[label] for label in sorted(classes)},
        "duplicates": {"across_splits": leaks, "across_classes": conflicts},
        "notes": notes,
    }


def write_quarantine(path: str, quarantined: Sequence[Quarantined]) -> None:
    """Writes one line of JSON for each example set aside; creates the folder."""
    tf.io.gfile.makedirs(os.path.dirname(path))
    write_lines(path, quarantined)


def write_summary(path: str, summary: Mapping) -> None:
    """Writes what `summarise` counted."""
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(json.dumps(summary, ensure_ascii=False, indent=2) + "\n")
