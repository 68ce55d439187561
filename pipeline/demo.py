"""The demo: handwritten digits through the whole pipeline, offline.

Its config, pictures and backbone lie in examples/digits/; they are copied into
the demo's folder, where they can be changed and run again.
"""

import runpy
import shutil
import sys
from pathlib import Path

from pipeline.config import Config
from pipeline.summary import Prediction, Summary
from preprocessing.errors import UsageError, explain

_CLONE = Path(__file__).resolve().parent.parent / "examples" / "digits"
# Where an installer puts the wheel's copy; see setup.py.
_SOURCE = _CLONE if _CLONE.is_dir() else Path(sys.prefix) / "share" / "graft" / "digits"
_SHOWN = 5


def write_demo(folder: Path) -> Path:
    """Writes the demo's pictures, backbone and config.

    Args:
        folder: Where to; what is there already and differs is kept if it is
            the config, and written again otherwise.

    Returns:
        The config, ready for `graft run`.

    Raises:
        UsageError: If they are neither here nor where an installed wheel has them.
    """
    if not _SOURCE.is_dir():
        raise UsageError(
            explain(
                "The demo's files are neither in a clone of the repository nor installed",
                str(_SOURCE),
                see="README.md",
            )
        )
    pictures = runpy.run_path(str(_SOURCE / "pictures.py"))
    pictures["write_pictures"](folder / "pictures")
    shutil.copytree(_SOURCE / "backbone", folder / "backbone", dirs_exist_ok=True)
    config = folder / "digits.yaml"
    if not config.exists():
        shutil.copy(_SOURCE / "digits.yaml", config)
    return config


def classify(summary: Summary, config: Config) -> list[Prediction]:
    """Has the pushed model classify a few pictures of the test split.

    Args:
        summary: The demo's run, with a pushed model.
        config: The config it ran with.

    Returns:
        One prediction for each picture, evenly spread over the split; none
        where there is no test split or the config has been given other features
        or another task.
    """
    import tensorflow as tf

    from pipeline.dag import EXAMPLES
    from pipeline.lineage import Lineage

    held_out = summary.examples.get("test", 0)
    pictures = [(name, one.kind) for name, one in config.features.items()] == [("image", "image")]
    if summary.pushed is None or not held_out or not pictures or config.label.task != "multiclass":
        return []
    examples = Lineage(config, summary.run_id)
    files = tf.io.gfile.glob(f"{examples.uri(EXAMPLES, 'examples')}/Split-test/*")
    label = config.label.name
    columns = {name: tf.io.FixedLenFeature([], tf.string) for name in ("image", label, "source")}
    step = max(1, held_out // _SHOWN)
    chosen = tf.data.TFRecordDataset(sorted(files)).shard(step, 0).take(_SHOWN)
    rows = next(iter(chosen.batch(_SHOWN).map(lambda one: tf.io.parse_example(one, columns))))
    model = tf.saved_model.load(f"{summary.pushed.path}/{summary.pushed.version}")
    outputs = model.signatures["serving_default"](image=rows["image"])
    return [
        Prediction(
            source=source.decode(), actual=actual.decode(), predicted=said.decode(), probability=p
        )
        for source, actual, said, p in zip(
            rows["source"].numpy(),
            rows[label].numpy(),
            outputs["label"].numpy(),
            outputs["score"].numpy().tolist(),
            strict=True,
        )
    ]
