"""Whether the labels of all examples together are what their task can learn from."""

import collections
import json
from collections.abc import Sequence

from components.example_gen.inspect import Inspected
from components.example_gen.labels import classes_of
from components.example_gen.rows import Quarantined
from preprocessing.config import LabelConfig
from preprocessing.errors import DataError, explain

_LISTED = 10


def check_classes(
    inspected: Sequence[Inspected], quarantined: Sequence[Quarantined], label: LabelConfig
) -> None:
    """Refuses a class of which nothing is left, and labels that are too few.

    Args:
        inspected: What can be used.
        quarantined: What was set aside.
        label: Its task.

    Raises:
        DataError: With a lost class and the first reason; with the only class
            or number; of a binary task, with the labels where they are not two
            of which one is `positive`.
    """
    if label.task == "regression":
        _check_numbers(inspected)
        return
    usable = {one for example in inspected for one in classes_of(example.row.label, label)}
    _check_none_lost(usable, quarantined, label)
    if label.task == "binary":
        _check_positive(usable, label)
    if len(usable) < 2:
        what = "A classifier needs at least two classes in the data."
        if label.task == "multilabel":
            what = (
                "task: multilabel needs at least two labels in the data; label.separator, which "
                f"stands between them, is {label.separator!r}."
            )
        raise DataError(explain(what, sorted(usable)))


def check_splits(
    inspected: Sequence[Inspected],
    splits: Sequence[str],
    label: LabelConfig,
    planned: Sequence[str] = ("train", "eval"),
    by_hash: bool = False,
) -> None:
    """Refuses splits that cannot be trained on or evaluated.

    Args:
        inspected: All usable examples.
        splits: The split of each.
        label: Its task.
        planned: Splits that later components wait for.
        by_hash: Whether each example's split is its own, whatever the others are.

    Raises:
        DataError: If a planned split is empty, or a class only occurs outside train.
    """
    sizes = collections.Counter(splits)
    if not sizes["train"]:
        raise DataError(explain("No example is in the train split.", dict(sizes)))
    whole = by_hash or label.task == "regression"
    cause = "the data is" if whole else "the classes are"
    last = "more spans" if by_hash else "" if whole else "stratify: false"
    for name in planned:
        if not sizes[name]:
            raise DataError(
                explain(
                    f"No example is in the {name} split: {cause} too small for the ratio "
                    f"in data.splits. Give more examples{',' if last else ' or'} a larger "
                    f"{name} share{last and f', or {last}'}.",
                    dict(sizes),
                )
            )
    classes = [classes_of(example.row.label, label) for example in inspected]
    trained = {
        one for own, split in zip(classes, splits, strict=True) if split == "train" for one in own
    }
    for example, own, split in zip(inspected, classes, splits, strict=True):
        for one in own:
            if one not in trained:
                raise DataError(
                    explain(
                        f"{example.row.source}: class {one!r} occurs in {split} but "
                        "not in train, so no model can learn it.",
                        one,
                        sorted(trained),
                    )
                )


def _check_none_lost(
    usable: set[str], quarantined: Sequence[Quarantined], label: LabelConfig
) -> None:
    lost = [
        (name, one)
        for one in quarantined
        if one.label is not None
        for name in classes_of(one.label, label)
        if name not in usable
    ]
    if lost:
        name, first = lost[0]
        raise DataError(
            explain(
                f"No usable example is left of class {name!r}; the first is "
                f"{first.source}: {first.reason}",
                f"0 usable of {sum(other == name for other, _ in lost)}",
            )
        )


def _check_positive(usable: set[str], label: LabelConfig) -> None:
    found = sorted(usable)
    if label.positive not in usable:
        what = "label.positive: no usable example has this label."
        raise DataError(explain(what, label.positive, found[:_LISTED]))
    if len(found) != 2:
        more = [f"… and {len(found) - _LISTED} more"] if len(found) > _LISTED else []
        what = "task: binary needs exactly two labels in the data."
        raise DataError(explain(what, found[:_LISTED] + more))


def _check_numbers(inspected: Sequence[Inspected]) -> None:
    values = {float(example.row.label) for example in inspected}
    if len(values) < 2:
        what = "task: regression needs labels that differ; there is nothing to learn from one."
        raise DataError(explain(what, sorted(values)))


def check_expected(planned: Sequence[str], expected: str | None) -> None:
    """Refuses data without a split that a pipeline was compiled for before it was seen.

    Args:
        planned: The splits that there will be.
        expected: Those that components wait for, as a JSON list; None where the
            pipeline was made for this very data.

    Raises:
        DataError: If one is missing.
    """
    missing = sorted(set(json.loads(expected or "[]")) - set(planned))
    if missing:
        raise DataError(
            explain(
                f"The pipeline was compiled for data with the split {missing[0]}, which this data "
                f"does not bring. Compile it with data.splits.{missing[0]}: 0.",
                list(planned),
            )
        )
