"""The pipeline as TFX's own image example has it: pixels written out, backbone in the Trainer.

    python -m benchmarks.speed.contenders.stock_tfx RECORDS BACKBONE FOLDER --epochs 5

RECORDS holds train, eval and test as TFRecords of tf.Examples with `image`, the
encoded picture, and `label`; making them is not measured. Beam runs in memory,
in this process, and TFX is not packed for workers: the fastest ways found, the
same as Graft's. It ends with a pushed model, or with exit code 1.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import tensorflow_model_analysis as tfma
from tfx.components import (
    Evaluator,
    ExampleValidator,
    ImportExampleGen,
    Pusher,
    SchemaGen,
    StatisticsGen,
    Trainer,
    Transform,
)
from tfx.orchestration import metadata, pipeline
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.proto import example_gen_pb2, pusher_pb2, trainer_pb2

from benchmarks.speed.contenders.backbone import picture_size

MODULE = "benchmarks.speed.contenders.stock_module"
BEAM = ["--runner=FnApiRunner", "--sdk_container_image=unused"]
LEAST_ACCURACY = 0.0  # what is measured is time, so any model is blessed


def main() -> None:
    """Prints what was done as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("records", type=Path)
    parser.add_argument("backbone", help="folder or address of a SavedModel")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=32)
    arguments = parser.parse_args()
    # Beam parses this process's command line, which is ours.
    sys.argv = sys.argv[:1]
    started = time.monotonic()
    LocalDagRunner().run(build(arguments))
    pushed = sorted(arguments.folder.glob("serving/*/saved_model.pb"))
    done = {"pushed": len(pushed), "inside_s": time.monotonic() - started}
    sys.stdout.write("\n" + json.dumps(done) + "\n")
    sys.exit(0 if pushed else 1)


def build(arguments: argparse.Namespace) -> pipeline.Pipeline:
    """Wires the stock components."""
    counts = json.loads((arguments.records / "counts.json").read_text(encoding="utf-8"))
    steps = {name: max(1, -(-count // arguments.batch)) for name, count in counts.items()}
    size = picture_size(arguments.backbone)
    splits = [
        example_gen_pb2.Input.Split(name=name, pattern=f"{name}/*")
        for name in ("train", "eval", "test")
    ]
    examples = ImportExampleGen(
        input_base=str(arguments.records), input_config=example_gen_pb2.Input(splits=splits)
    )
    statistics = StatisticsGen(examples=examples.outputs["examples"])
    schema = SchemaGen(statistics=statistics.outputs["statistics"], infer_feature_shape=True)
    validator = ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    transform = Transform(
        examples=examples.outputs["examples"],
        schema=schema.outputs["schema"],
        preprocessing_fn=f"{MODULE}.preprocessing_fn",
        custom_config={"size": size},
    )
    trainer = Trainer(
        run_fn=f"{MODULE}.run_fn",
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema.outputs["schema"],
        train_args=trainer_pb2.TrainArgs(num_steps=arguments.epochs * steps["train"]),
        eval_args=trainer_pb2.EvalArgs(num_steps=steps["eval"]),
        custom_config={
            "backbone": arguments.backbone,
            "size": size,
            "batch": arguments.batch,
            "train_examples": counts["train"],
        },
    )
    evaluator = Evaluator(
        examples=examples.outputs["examples"],
        example_splits=["eval"],
        model=trainer.outputs["model"],
        eval_config=judge(),
    )
    target = pusher_pb2.PushDestination.Filesystem(base_directory=str(arguments.folder / "serving"))
    pusher = Pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        push_destination=pusher_pb2.PushDestination(filesystem=target),
    )
    return pipeline.Pipeline(
        pipeline_name="stock",
        pipeline_root=str(arguments.folder / "artifacts"),
        components=[
            examples,
            statistics,
            schema,
            validator,
            transform,
            trainer,
            evaluator,
            pusher,
        ],
        metadata_connection_config=metadata.sqlite_metadata_connection_config(
            str(arguments.folder / "metadata.sqlite")
        ),
        beam_pipeline_args=BEAM,
    )


def judge() -> tfma.EvalConfig:
    """Says what the Evaluator computes, and from where it blesses."""
    threshold = tfma.MetricThreshold(
        value_threshold=tfma.GenericValueThreshold(lower_bound={"value": LEAST_ACCURACY})
    )
    metric = tfma.MetricConfig(class_name="SparseCategoricalAccuracy", threshold=threshold)
    return tfma.EvalConfig(
        model_specs=[
            tfma.ModelSpec(
                label_key="label_xf",
                signature_name="serving_default",
                preprocessing_function_names=["transform_features"],
            )
        ],
        slicing_specs=[tfma.SlicingSpec()],
        metrics_specs=[tfma.MetricsSpec(metrics=[metric])],
    )


if __name__ == "__main__":
    main()
