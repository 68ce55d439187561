"""The entry point of a compiled task, started as a container starts it."""

import json
import os
import subprocess
import sys

import pytest
import tensorflow as tf

from pipeline.kubeflow_task import COMMAND
from pipeline.kubeflow_task.places import MOUNTS_VARIABLE

IMPORT = "tfx.components.example_gen.import_example_gen.executor.Executor"
EXAMPLES = {"instanceSchema": "title: tfx.Examples\ntype: object\n"}


def start(invocation, cwd, *arguments, executor=IMPORT, **variables):
    command = [sys.executable, *COMMAND[1:], "--executor_class_path", executor]
    command += ["--json_serialized_invocation_args", invocation, *arguments]
    environment = {**os.environ, MOUNTS_VARIABLE: str(cwd), **variables}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("text", ["{{$}}", "[]", ""])
def test_an_invocation_that_nobody_filled_in_is_an_error(text, tmp_path):
    done = start(text, tmp_path)
    assert (done.returncode, done.stderr) == (
        2,
        f"--json_serialized_invocation_args must be a JSON object\n  Received: {text!r}\n",
    )


def test_another_keras_is_an_error_before_anything_is_loaded(tmp_path):
    done = start("{}", tmp_path, TF_USE_LEGACY_KERAS="0")
    assert done.returncode == 2
    assert done.stderr.startswith("TensorFlow would use Keras 3")


@pytest.mark.slow
def test_the_newest_span_is_found_where_no_driver_has_run(tmp_path):
    for span in (1, 2):
        folder = tmp_path / f"span-{span}"
        folder.mkdir()
        with tf.io.TFRecordWriter(str(folder / "all.tfrecord")) as writer:
            writer.write(f"record of {span}".encode())
    split = {"name": "all", "pattern": "span-{SPAN}/*"}
    output = {"split_config": {"splits": [{"name": "train", "hash_buckets": 1}]}}
    mine = {"name": "examples", "uri": "minio://bucket/run/examples", "type": EXAMPLES}
    logs = {"uri": "minio://bucket/run/logs", "type": {"schemaTitle": "system.Artifact"}}
    said = tmp_path / "minio" / "bucket" / "run" / "output_metadata.json"
    invocation = {
        "inputs": {
            "parameterValues": {
                "input_base": str(tmp_path),
                "input_config": json.dumps({"splits": [split]}),
                "output_config": json.dumps(output),
                "output_data_format": 11.0,
                "output_file_format": 5.0,
            }
        },
        "outputs": {
            "artifacts": {
                "examples": {"artifacts": [mine]},
                "executor-logs": {"artifacts": [logs]},
            },
            "outputFile": str(said),
        },
    }
    whole_numbers = ("output_data_format", "output_file_format")
    spec = {"parameters": {name: {"parameterType": "NUMBER_INTEGER"} for name in whole_numbers}}
    beam = ["--runner=FnApiRunner", "--sdk_container_image=unused"]
    arguments = ["--json_serialized_inputs_spec_args", json.dumps(spec), *beam]
    done = start(json.dumps(invocation), tmp_path, *arguments)
    assert done.returncode == 0, done.stderr
    made = json.loads(said.read_text())["artifacts"]
    assert made.keys() == {"examples"}
    (examples,) = made["examples"]["artifacts"]
    assert examples["uri"] == "minio://bucket/run/examples"
    assert examples["metadata"]["custom:span"] == 2
    assert examples["metadata"]["input_fingerprint"].startswith("split:all,num_files:1")
    (file,) = (said.parent / "examples" / "Split-train").iterdir()
    records = tf.data.TFRecordDataset([str(file)], compression_type="GZIP")
    assert [one.numpy() for one in records] == [b"record of 2"]
