"""What an exported signature costs beside its parts: transform graph, backbones and head.

Calls `serving_default` of the newest model of a run, and the parts that it was
made of as one function of the same process, on the same batches of 32 examples
of the eval split, in turns. From the repository's root, after a frozen run:

    TF_USE_LEGACY_KERAS=1 python benchmarks/signature_throughput.py CONFIG --set workdir=...

CONFIG and `--set` are as they were for the run. Prints a Markdown table of
medians over rounds; the shares are medians of each round's.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf
import tensorflow_text  # noqa: F401  (models with texts need its ops)

from pipeline.config import Config, load_config
from preprocessing.config import EmbeddedFeature
from preprocessing.kinds import raw_columns
from preprocessing.model_info import read_model_info
from trainer.backbones.vendor import vendor
from trainer.features import FeatureExtractor
from trainer.heads import build_head
from trainer.model_config import ModelConfig
from trainer.tasks.registry import TASKS

BATCH = 32
WARM_UP = 5


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--rounds", type=int, default=40)
    arguments = parser.parse_args()
    config = load_config(arguments.config, arguments.overrides)
    artifacts = Path(config.workdir) / "artifacts"
    model = newest(artifacts / "Trainer" / "model") / "Format-Serving"
    loaded = tf.saved_model.load(str(model))
    signature = loaded.signatures["serving_default"]
    direct = build_direct(config, artifacts, loaded, model)
    batches = read_batches(config, artifacts, arguments.rounds + WARM_UP)
    calls = {
        "parts, called directly": direct,
        "exported signature": lambda raw: signature(**raw),
    }
    report(measure(calls, batches))


def newest(folder: Path) -> Path:
    """The last made of an artifact's folders."""
    return max(folder.iterdir(), key=lambda one: int(one.name))


def build_direct(config: Config, artifacts: Path, loaded: tf.Module, model: Path) -> Callable:
    """Builds the parts anew and gives the head the exported weights."""
    store = Path(config.workdir) / "backbones"
    backbones = {
        name: vendor(feature.backbone, store, config.base, feature.kind)
        for name, feature in config.features.items()
        if isinstance(feature, EmbeddedFeature)
    }
    parts = ModelConfig(features=config.features, backbones=backbones, label=config.label)
    graph = newest(artifacts / "Transform" / "transform_graph")
    extractor = FeatureExtractor(str(graph), parts)
    units = TASKS[config.label.task].units(len(read_model_info(str(model)).classes))
    head = build_head(config.train.head, extractor.head_inputs, units)
    for ours, theirs in zip(head.variables, loaded._head_variables, strict=True):
        ours.assign(theirs)

    @tf.function(autograph=False, reduce_retracing=True)
    def direct(raw: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        vectors = extractor.to_head(extractor.prepare(extractor.preprocess(raw)))
        return {"logits": head(vectors, training=False)}

    return direct


def read_batches(config: Config, artifacts: Path, count: int) -> list[dict[str, tf.Tensor]]:
    """Reads raw columns of the eval split, beginning again after its last example."""
    files = sorted((newest(artifacts / "ExampleGen" / "examples") / "Split-eval").iterdir())
    kind = "GZIP" if files[0].suffix == ".gz" else ""
    records = tf.data.TFRecordDataset([str(one) for one in files], kind)
    columns = raw_columns(config.features)
    batches = records.repeat().batch(BATCH).take(count)
    return [tf.io.parse_example(batch, columns) for batch in batches]


def measure(
    calls: dict[str, Callable], batches: list[dict[str, tf.Tensor]]
) -> dict[str, list[float]]:
    """Times each call on each batch, the first of them another in each round."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for number, batch in enumerate(batches):
        names = list(calls)
        for name in names if number % 2 else reversed(names):
            started = time.monotonic()
            for output in calls[name](batch).values():
                output.numpy()
            if number >= WARM_UP:
                seconds[name].append(time.monotonic() - started)
    return seconds


def report(seconds: dict[str, list[float]]) -> None:
    """Prints medians, and each as a share of the first."""
    first = next(iter(seconds.values()))
    sys.stdout.write(f"| batch of {BATCH} | ms | examples/s | throughput |\n|---|---|---|---|\n")
    for name, values in seconds.items():
        median = statistics.median(values)
        share = statistics.median(one / other for one, other in zip(first, values, strict=True))
        row = f"| {name} | {1000 * median:.1f} | {BATCH / median:.1f} | {100 * share:.1f} % |\n"
        sys.stdout.write(row)


if __name__ == "__main__":
    main()
