"""What the demo backbone's pretraining is worth: accuracy against labels per class.

A logistic regression on scikit-learn's digits, on raw pixels, on the features of
the demo backbone, and on those of the same network with random weights; always
judged on the same quarter of the data. From the repository's root, a few minutes:

    TF_USE_LEGACY_KERAS=1 python benchmarks/few_labels.py

It prints the table of the README. A further kind of feature is one more entry
in `measure_all`.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from preprocessing.image import prepare_images
from preprocessing.inputs import ImageInput

DIGITS = Path(__file__).parents[1] / "examples" / "digits"
TEST_SHARE = 0.25
SPLIT_SEED = 0
LABELS_PER_CLASS = (3, 10, 30, None)  # None: all that are not in the test split
STRENGTHS = tuple(np.logspace(-4, 1, 6))  # LogisticRegression's C to choose from


@dataclass(frozen=True)
class Digits:
    """The digits, prepared as a pipeline prepares them.

    Attributes:
        images: [1797, height, width, 3] float32 in [0, 1].
        raw: [1797, 64] float32 in [0, 1], the pixels of the files.
        labels: [1797] int64.
    """

    images: np.ndarray
    raw: np.ndarray
    labels: np.ndarray


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backbone", type=Path, default=DIGITS / "backbone")
    parser.add_argument("--seeds", type=int, default=10, help="repetitions of each figure")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        digits = read_digits(Path(folder), hub.load(str(arguments.backbone)))
    rows = measure_all(digits, arguments.backbone, range(arguments.seeds))
    sys.stdout.write(format_table(rows))


def read_digits(folder: Path, backbone: tf.Module) -> Digits:
    """Writes the picture files and reads them back as a pipeline would."""
    subprocess.run(
        [sys.executable, str(DIGITS / "pictures.py"), str(folder)], check=True, capture_output=True
    )
    paths = sorted(folder.glob("*/*.png"))
    encoded = tf.constant([path.read_bytes() for path in paths])
    _, height, width, _ = backbone.signatures["serving_default"].inputs[0].shape
    images = prepare_images(encoded, picture_input(height, width)).numpy()
    raw = prepare_images(encoded, picture_input(8, 8)).numpy()[..., 0].reshape(len(paths), -1)
    return Digits(images, raw, np.array([int(path.parent.name) for path in paths]))


def picture_input(height: int, width: int) -> ImageInput:
    """Says which pictures are wanted; hub backbones take [0, 1]."""
    return ImageInput(height=height, width=width, input_range=(0.0, 1.0))


def measure_all(
    digits: Digits, backbone: Path, seeds: Iterable[int]
) -> dict[str, list[list[float]]]:
    """Measures each kind of feature at each number of labels.

    Args:
        digits: The data.
        backbone: Folder of the SavedModel.
        seeds: Of the labelled examples, and of the random weights.

    Returns:
        Kind of feature -> for each of `LABELS_PER_CLASS`, accuracy per seed.
    """
    loaded = hub.load(str(backbone))
    transfer = loaded(digits.images).numpy()
    kinds: dict[str, Callable[[int], np.ndarray]] = {
        "raw pixels": lambda seed: digits.raw,
        "same net, untrained": lambda seed: untrained(backbone, seed)(digits.images).numpy(),
        "transfer": lambda seed: transfer,
    }
    rows: dict[str, list[list[float]]] = {}
    for kind, features in kinds.items():
        by_seed = [
            [accuracy(features(seed), digits.labels, count, seed) for count in LABELS_PER_CLASS]
            for seed in seeds
        ]
        rows[kind] = [list(column) for column in zip(*by_seed, strict=True)]
    return rows


def untrained(backbone: Path, seed: int) -> tf.Module:
    """Loads the backbone and draws its weights anew (He et al., 2015; biases 0)."""
    loaded = hub.load(str(backbone))
    initializer = tf.random.stateless_normal
    for number, variable in enumerate(loaded.variables):
        shape = variable.shape
        fan_in = int(np.prod(shape[:-1]))
        spread = np.sqrt(2 / fan_in) if shape.rank > 1 else 0.0
        variable.assign(initializer(shape, seed=[seed, number], stddev=spread))
    return loaded


def accuracy(features: np.ndarray, labels: np.ndarray, count: int | None, seed: int) -> float:
    """Fits on a few labels and judges on the fixed test split.

    C is chosen by cross-validation on the labelled examples alone.

    Args:
        features: [examples, width] float32.
        labels: [examples] int64.
        count: Labelled examples per class; None for all outside the test split.
        seed: Which ones.

    Returns:
        The share of the test split that is classified rightly.
    """
    rest, test = train_test_split(
        np.arange(len(labels)), test_size=TEST_SHARE, stratify=labels, random_state=SPLIT_SEED
    )
    draw = np.random.default_rng(seed)
    chosen = rest
    if count:
        members = [rest[labels[rest] == label] for label in np.unique(labels)]
        chosen = np.concatenate([draw.choice(some, count, replace=False) for some in members])
    search = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
        {"logisticregression__C": STRENGTHS},
        scoring="neg_log_loss",
        cv=StratifiedKFold(min(5, count or 5), shuffle=True, random_state=seed),
    )
    search.fit(features[chosen], labels[chosen])
    return float(search.best_estimator_.score(features[test], labels[test]))


def format_table(rows: dict[str, list[list[float]]]) -> str:
    """Writes mean ± standard deviation over the seeds as a Markdown table."""
    heads = [f"{count} labels per class" if count else "all" for count in LABELS_PER_CLASS]
    lines = [f"| features | {' | '.join(heads)} |", f"|---|{'---|' * len(heads)}"]
    for kind, columns in rows.items():
        cells = (f"{np.mean(scores):.3f} ± {np.std(scores):.3f}" for scores in columns)
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
