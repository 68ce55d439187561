"""Which code may open, list or name files of this machine alone, and why.

Everything else goes through TensorFlow's file systems (`tf.io.gfile`), for an artifact, data,
a model that is pushed or a feature store may be at an address such as gs://bucket.
"""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("pipeline", "serving", "components", "trainer", "preprocessing")
MODULES = sorted(
    str(path.relative_to(ROOT)) for package in PACKAGES for path in (ROOT / package).rglob("*.py")
)

# Why a module may: what it touches lies on this machine, whatever the config says.
SCRATCH = "a temporary folder of its own, and what is copied there"
OURS = "files of this repository or its environment"
LOCAL_WORKDIR = "the local working folder: lock, logs, records of runs, SQLite, settings"
BACKBONES = "backbones, which are vendored into the local working folder or come from a local path"
BOTH = "the half of a pair that serves folders; another half, or branch, serves addresses"
TYPED = "paths that a user types or a config names, where an address is told apart before"
LAUNCHER = "folders that Kubeflow's launcher made, to which addresses are mapped before"
MACHINE = "this machine itself: its memory, its programs, its terminal"
REASONS = {
    "components/embedder/config.py": LOCAL_WORKDIR,
    "components/embedder/store/files.py": BOTH,
    "components/example_gen/inspect.py": BOTH,
    "components/example_gen/sources/image_folder.py": BOTH,
    "components/example_gen/sources/tfrecord.py": BOTH,
    "components/example_gen/span_store.py": BOTH,
    "components/exporter/answers.py": SCRATCH,
    "components/exporter/exports.py": SCRATCH,
    "components/exporter/process.py": OURS,
    "components/exporter/tensor_files.py": SCRATCH,
    "components/exporter/tfjs.py": OURS,
    "components/exporter/tfjs_child.py": SCRATCH,
    "components/exporter/tflite_child.py": SCRATCH,
    "components/gate/eval_config.py": OURS,
    "components/pusher/files.py": BOTH,
    "components/pusher/load_check.py": SCRATCH,
    "components/pusher/loading.py": SCRATCH,
    "components/pusher/local_target.py": BOTH,
    "components/pusher/remote_target.py": SCRATCH,
    "components/pusher/rollback.py": BOTH,
    "components/pusher/target.py": BOTH,
    "components/serving_validator/child.py": SCRATCH,
    "components/serving_validator/hide.py": SCRATCH,
    "components/serving_validator/infra.py": MACHINE,
    "components/serving_validator/ops.py": OURS,
    "components/serving_validator/process.py": SCRATCH,
    "components/serving_validator/validate.py": SCRATCH,
    "pipeline/artifact_root.py": LOCAL_WORKDIR,
    "pipeline/cli.py": MACHINE,
    "pipeline/code_digest.py": OURS,
    "pipeline/commands/schema.py": TYPED,
    "pipeline/config.py": TYPED,
    "pipeline/demo.py": OURS,
    "pipeline/doctor.py": MACHINE,
    "pipeline/engines/portable.py": TYPED,
    "pipeline/engines/probe.py": MACHINE,
    "pipeline/engines/workers.py": TYPED,
    "pipeline/facts.py": TYPED,
    "pipeline/feature_cache.py": TYPED,
    "pipeline/kubeflow/command.py": TYPED,
    "pipeline/kubeflow/compile.py": TYPED,
    "pipeline/kubeflow_task/run.py": LAUNCHER,
    "pipeline/leftovers.py": LOCAL_WORKDIR,
    "pipeline/light_imports.py": OURS,
    "pipeline/machine.py": MACHINE,
    "pipeline/metadata_store.py": LOCAL_WORKDIR,
    "pipeline/peak_memory.py": MACHINE,
    "pipeline/run_lock.py": LOCAL_WORKDIR,
    "pipeline/run_record.py": LOCAL_WORKDIR,
    "pipeline/runs.py": TYPED,
    "pipeline/schema.py": LOCAL_WORKDIR,
    "pipeline/scratch.py": SCRATCH,
    "pipeline/scout.py": BACKBONES,
    "pipeline/session.py": LOCAL_WORKDIR,
    "pipeline/submit/backbones.py": BACKBONES,
    "pipeline/submit/kubeflow.py": TYPED,
    "pipeline/submit/request.py": TYPED,
    "pipeline/submit/submit.py": TYPED,
    "pipeline/summary.py": LOCAL_WORKDIR,
    "pipeline/user_code.py": OURS,
    "preprocessing/clean_child.py": SCRATCH,
    "preprocessing/clean_process.py": OURS,
    "serving/batch/parts.py": BOTH,
    "serving/client/rows.py": TYPED,
    "serving/commands/predict.py": TYPED,
    "serving/commands/serve.py": TYPED,
    "serving/server/model.py": SCRATCH,
    "serving/server/versions.py": BOTH,
    "trainer/backbones/archive.py": BACKBONES,
    "trainer/backbones/fetch.py": SCRATCH,
    "trainer/backbones/handles.py": BACKBONES,
    "trainer/backbones/hf.py": BACKBONES,
    "trainer/backbones/hf_files.py": BACKBONES,
    "trainer/backbones/hf_image.py": BACKBONES,
    "trainer/backbones/hf_text.py": BACKBONES,
    "trainer/backbones/hub.py": BACKBONES,
    "trainer/backbones/hub_encoder.py": BACKBONES,
    "trainer/backbones/hub_fetch.py": BACKBONES,
    "trainer/backbones/keras.py": BACKBONES,
    "trainer/backbones/keras_model.py": BACKBONES,
    "trainer/backbones/load.py": BACKBONES,
    "trainer/backbones/saved_model.py": BACKBONES,
    "trainer/backbones/saved_prune.py": SCRATCH,
    "trainer/backbones/store.py": BACKBONES,
}

OS = "chmod link listdir lstat makedirs mkdir open remove removedirs rename replace rmdir scandir"
OS_MORE = "stat symlink truncate unlink utime walk"
OS_PATH = "abspath exists expanduser getmtime getsize isdir isfile islink lexists normpath realpath"
FUNCTIONS = {
    "open",
    "Path",
    "pathlib.Path",
    "os.path.commonpath",
    *(f"os.{name}" for name in (OS + " " + OS_MORE).split()),
    *(f"os.path.{name}" for name in OS_PATH.split()),
}
# Of a pathlib.Path; TensorFlow's own modules have others of the same name.
METHODS = {"is_dir", "is_file", "iterdir", "read_bytes", "read_text", "rglob"}
METHODS |= {"write_bytes", "write_text"}
LIBRARIES = ("glob.", "shutil.", "tarfile.", "zipfile.")
HARMLESS = ("shutil.which", "shutil.disk_usage", "shutil.get_terminal_size")
# What may hold an address wherever it is: nothing of the above may be asked of it.
ADDRESSES = {
    "feature_store",
    "model_run_dir",
    "pipeline_root",
    "push_path",
    "serving_model_dir",
    "uri",
    "config.workdir",
}


def _local_calls(path):
    """The calls in a module that only understand files of this machine."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            library = name.startswith(LIBRARIES) and name not in HARMLESS
            method = name.rpartition(".")[2] in METHODS and not name.startswith("tf.")
            if name in FUNCTIONS or library or method:
                yield node


def _places(modules, is_wrong):
    return [
        f"{path}, line {node.lineno}: {ast.unparse(node)}"
        for path in modules
        for node in _local_calls(path)
        if is_wrong(node)
    ]


def _names(node):
    """Names, attributes, and what they are attributes of, inside a call."""
    parts = [part for part in ast.walk(node) if isinstance(part, (ast.Name, ast.Attribute))]
    return {ast.unparse(part) for part in parts} | {getattr(part, "attr", "") for part in parts}


def test_files_are_reached_through_tensorflow_but_for_those_that_have_a_reason():
    others = [path for path in MODULES if path not in REASONS]
    assert _places(others, lambda node: True) == []


def test_what_may_be_an_address_is_never_taken_for_a_path_of_this_machine():
    assert _places(MODULES, lambda node: _names(node) & ADDRESSES) == []


def test_every_module_that_may_touch_local_files_still_does():
    assert [path for path in REASONS if next(_local_calls(path), None) is None] == []
