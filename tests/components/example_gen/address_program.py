"""Two windows of three spans, all at an address: `python -m … ADDRESS` says what came of each."""

import json
import sys

import tensorflow as tf
from tfx.types import standard_artifacts

from components.example_gen import span_executor
from components.example_gen.config import DataConfig
from components.example_gen.span_component import SpanExampleGen
from preprocessing.config import ImageFeature, LabelConfig
from tests.components.example_gen.conftest import encode

gfile = tf.io.gfile


def take_windows(place):
    """Reads spans 0 and 1, then 1 and 2, which has come meanwhile; a line of figures for each."""
    lines = []
    for number, last in enumerate((1, 2)):
        for seed in range(20 * last if number else 0, 20 * last + 20):
            path = f"{place}/data/{seed // 20}/{'ab'[seed % 2]}/{seed}.png"
            gfile.makedirs(path.rpartition("/")[0])
            with gfile.GFile(path, "wb") as file:
                file.write(encode(seed))
        lines.append(_take(place, number))
    return lines


def _take(place, number):
    source = {"kind": "image_folder", "path": f"{place}/data/{{SPAN}}"}
    component = SpanExampleGen(
        DataConfig.model_validate({"source": source, "spans": {"last": 2}}),
        {"image": ImageFeature(kind="image", backbone="hub:x")},
        LabelConfig(),
        store=f"{place}/spans",
    )
    artifact = standard_artifacts.Examples()
    artifact.uri = f"{place}/root/ExampleGen/examples/{number}"
    context = span_executor.Executor.Context(
        beam_pipeline_args=["--runner=FnApiRunner", "--sdk_container_image=unused"]
    )
    properties = dict(component.exec_properties)
    span_executor.Executor(context).Do({}, {"examples": [artifact]}, properties)
    with gfile.GFile(f"{artifact.uri}/ingest.json") as file:
        counts = json.loads(file.read())
    files = gfile.glob(f"{artifact.uri}/Split-*/*")
    records = [tf.train.Example.FromString(one.numpy()) for one in tf.data.TFRecordDataset(files)]
    names = [one.features.feature["source"].bytes_list.value[0].decode() for one in records]
    return {
        "states": {one["name"]: one["state"] for one in counts["spans"]},
        "examples": sum(counts["examples"].values()),
        "sources": sorted(names),
        "left": sorted(name.rstrip("/") for name in gfile.listdir(artifact.uri)),
        "kept": len(gfile.listdir(f"{place}/spans")),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(take_windows(sys.argv[1])) + "\n")
