"""What the figures themselves say about where a model should not be trusted.

A new rule is a function from a card's parts to sentences, and its line in `RULES`.
"""

import math
from collections.abc import Callable, Iterator, Mapping

from components.model_card.card import CardClass, CardData

# Below so many examples a share says little: its standard error is up to 0.09.
FEW_EXAMPLES = 30
POOR_RECALL = 0.5

_Metrics = Mapping[str, Mapping[str, float]]
_ByClass = Mapping[str, tuple[CardClass, ...]]


def find_limits(data: CardData, metrics: _Metrics, by_class: _ByClass) -> tuple[str, ...]:
    """Finds what a reader of the figures should know before trusting them.

    Args:
        data: What the model was trained and judged on.
        metrics: By split.
        by_class: By split; empty for numbers.

    Returns:
        Sentences; none where there is nothing to warn of.
    """
    return tuple(sentence for rule in RULES for sentence in rule(data, metrics, by_class))


def _no_test_split(data: CardData, metrics: _Metrics, by_class: _ByClass) -> Iterator[str]:
    if "test" not in metrics:
        yield (
            "There is no test split. Training stopped where the eval split was best, so its "
            "figures are a little too good."
        )


def _uncertainty(data: CardData, metrics: _Metrics, by_class: _ByClass) -> Iterator[str]:
    split = _last(metrics)
    share, count = metrics[split].get("accuracy"), data.examples.get(split, 0)
    if share is not None and count:
        error = math.sqrt(share * (1 - share) / count)
        yield (
            f"Accuracy on {split}, {share:.3f}, is of {count:,} examples: "
            f"one standard error is {error:.3f}."
        )


def _closed_world(data: CardData, metrics: _Metrics, by_class: _ByClass) -> Iterator[str]:
    if data.classes:
        yield (
            f"It knows {len(data.classes)} classes and puts whatever it is shown among them; "
            "the probability of something else is not low by itself."
        )


def _rare_classes(data: CardData, metrics: _Metrics, by_class: _ByClass) -> Iterator[str]:
    few = [name for name, counts in data.classes.items() if counts.get("train", 0) < FEW_EXAMPLES]
    if few:
        yield f"Trained on fewer than {FEW_EXAMPLES} examples: {_list(few)}."


def _poor_classes(data: CardData, metrics: _Metrics, by_class: _ByClass) -> Iterator[str]:
    split = _last(metrics)
    poor = [
        f"{one.name} ({one.recall:.2f} of {one.examples})"
        for one in by_class.get(split, ())
        if one.recall is not None and one.recall < POOR_RECALL
    ]
    if poor:
        yield f"Less than half of these are recognised on {split}: {_list(poor)}."


def _left_out(data: CardData, metrics: _Metrics, by_class: _ByClass) -> Iterator[str]:
    if data.quarantined:
        yield (
            f"{data.quarantined:,} examples could not be read and are in no figure; "
            "in production they are errors."
        )
    for feature, splits in data.truncated.items():
        share = sum(splits.values()) / max(1, sum(data.examples.values()))
        yield f"The end of {share:.0%} of the texts in {feature} is cut off."


def _last(metrics: _Metrics) -> str:
    """The split that is furthest from training."""
    return "test" if "test" in metrics else "eval"


def _list(names: list[str], most: int = 8) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


RULES: tuple[Callable[[CardData, _Metrics, _ByClass], Iterator[str]], ...] = (
    _no_test_split,
    _uncertainty,
    _closed_world,
    _rare_classes,
    _poor_classes,
    _left_out,
)
