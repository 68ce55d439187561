"""How much each class counts in the loss: by the config, or as rare as it is in training.

Only the ratios matter: weights are scaled so that the training examples weigh 1
on average, and the learning rate and the L2 penalty keep their meaning.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from preprocessing.errors import ConfigError, explain


def count_classes(batches: Iterable[np.ndarray], classes: int) -> np.ndarray:
    """Counts class ids, batches of `[batch]` int64; gives `[classes]` int64."""
    counts = np.zeros(classes, np.int64)
    for labels in batches:
        counts += np.bincount(labels, minlength=classes)
    return counts


def class_weights(
    given: str | Mapping[str, float], classes: Sequence[str], counts: np.ndarray
) -> np.ndarray:
    """Weighs each of several classes.

    Args:
        given: `balanced`: each class counts the same in sum, an example
            examples / (classes * its class's examples); or a weight for each
            class by name, 1 where none is given.
        classes: Their names in order.
        counts: How many training examples each has.

    Returns:
        `[classes]` float32.

    Raises:
        ConfigError: If a name is not a class, or no example weighs anything.
    """
    weights = 1 / np.maximum(counts, 1)
    if not isinstance(given, str):
        weights = _by_name(given, classes)
    mean = (weights * counts).sum() / counts.sum()
    if not mean:
        raise ConfigError(explain("train.loss.class_weights leaves nothing to learn from", given))
    return (weights / mean).astype(np.float32)


def label_weights(
    given: str | Mapping[str, float], labels: Sequence[str], counts: np.ndarray, examples: int
) -> np.ndarray:
    """Weighs the presence of each of several labels against its absence.

    Args:
        given: `balanced`: those that have the label count as much in sum as
            those that lack it; or how many times as much an example counts
            that has it, by name, 1 where none is given.
        labels: Their names in order.
        counts: How many training examples have each.
        examples: How many training examples there are.

    Returns:
        `[2, labels]` float32: of an example that lacks the label, and of one
        that has it.

    Raises:
        ConfigError: If a name is not a label, or no example weighs anything.
    """
    absent = examples - counts
    if isinstance(given, str):
        # A label that all have, or none, has nothing to be weighed against.
        mixed = (counts > 0) & (absent > 0)
        present = np.where(mixed, absent / np.maximum(counts, 1), 1.0)
    else:
        present = _by_name(given, labels)
    means = (counts * present + absent) / examples
    if not means.all():
        raise ConfigError(explain("train.loss.class_weights leaves nothing to learn from", given))
    return np.stack([1 / means, present / means]).astype(np.float32)


def _by_name(given: Mapping[str, float], names: Sequence[str]) -> np.ndarray:
    for name in given:
        if name not in names:
            what = "train.loss.class_weights names a class that the training split does not have"
            raise ConfigError(explain(what, name, names))
    return np.array([given.get(name, 1.0) for name in names], np.float64)
