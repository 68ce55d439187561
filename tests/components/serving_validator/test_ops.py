"""The operations of a model, against lists of what TensorFlow Serving has."""

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
import tensorflow as tf
import tensorflow_text as tf_text

from components.serving_validator.config import ServingVersion
from components.serving_validator.judge import judge_ops
from components.serving_validator.ops import check_ops, pick_version, read_ops, read_stock_ops

# The kernels of TensorFlow's C++ library, in a process without its Python part,
# which brings operations of its own.
_REGISTERED = """
import ctypes, sys
from pathlib import Path
for name in ("framework", "cc"):
    (path,) = Path(sys.argv[1]).glob(f"libtensorflow_{name}.so.*")
    library = ctypes.CDLL(str(path), ctypes.RTLD_GLOBAL)
class Buffer(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("length", ctypes.c_size_t)]
library.TF_NewStatus.restype = ctypes.c_void_p
library.TF_GetAllRegisteredKernels.restype = ctypes.POINTER(Buffer)
library.TF_GetAllRegisteredKernels.argtypes = [ctypes.c_void_p]
buffer = library.TF_GetAllRegisteredKernels(library.TF_NewStatus()).contents
Path(sys.argv[2]).write_bytes(ctypes.string_at(buffer.data, buffer.length))
"""


def verdict(*ops, version="2.16"):
    (said,) = judge_ops(check_ops(ops, read_stock_ops(version)), version)
    return str(said)


def test_operations_that_the_server_has_pass():
    assert verdict("Conv2D", "DecodeJpeg", "ParseExampleV2", "HashTableV2") == (
        "passed: TensorFlow Serving 2.16 has all 4 operations of the model"
    )


def test_operations_of_tf_text_are_told_apart():
    ops = check_ops(["CaseFoldUTF8", "Conv2D"], read_stock_ops("2.16"))
    assert ops == (("CaseFoldUTF8", "Conv2D"), ("CaseFoldUTF8",), ())
    assert verdict("CaseFoldUTF8", "Conv2D") == (
        "passed: TensorFlow Serving 2.16 has all 2 operations of the model, 1 of them from TF-Text"
    )


def test_python_in_the_graph_is_refused():
    assert verdict("Conv2D", "EagerPyFunc", "PyFunc") == (
        "failed: TensorFlow Serving 2.16 lacks operations of the model: EagerPyFunc, PyFunc"
    )


def test_an_operation_of_tf_text_that_only_a_newer_server_has_is_refused():
    assert verdict("TFText>RoundRobinTrim") == (
        "failed: TensorFlow Serving 2.16 lacks operations of the model: "
        "TFText>RoundRobinTrim (of TF-Text)"
    )
    assert verdict("TFText>RoundRobinTrim", version="2.20").startswith("passed")


def test_of_many_unknown_operations_some_are_named():
    assert verdict(*(f"Mine{number}" for number in range(8))) == (
        "failed: TensorFlow Serving 2.16 lacks operations of the model: "
        "Mine0, Mine1, Mine2, Mine3, Mine4 and 3 more"
    )


@pytest.mark.parametrize(
    ("tensorflow", "server"),
    [("2.16.2", "2.16"), ("2.19.0", "2.16"), ("2.21.1", "2.20"), ("2.12.0", "2.16")],
)
def test_the_newest_server_that_is_not_newer_is_picked(tensorflow, server):
    assert pick_version(tensorflow) == server


def test_functions_within_functions_count_and_their_names_do_not(tmp_path):
    class Nested(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def __call__(self, texts):
            inner = tf.function(lambda one: tf_text.case_fold_utf8(one))
            return {"upper": tf.strings.upper(tf.map_fn(inner, texts))}

    module = Nested()
    tf.saved_model.save(module, str(tmp_path), signatures=module.__call__)
    ops = read_ops(tmp_path)
    assert {"CaseFoldUTF8", "StringUpper", "Placeholder"} <= ops
    assert not [one for one in ops if one.startswith("__inference")]


@pytest.mark.slow
def test_the_lists_are_what_tensorflow_without_python_has(tmp_path):
    from tensorflow.core.framework import kernel_def_pb2

    folder = str(Path(tf.__file__).parent)
    file = tmp_path / "kernels"
    subprocess.run([sys.executable, "-I", "-c", _REGISTERED, folder, str(file)], check=True)
    kernels = kernel_def_pb2.KernelList.FromString(file.read_bytes()).kernel
    here = {one.op for one in kernels if one.device_type in ("CPU", "DEFAULT")}
    here = {op for op in here if not op.startswith(("_", "Rpc"))}
    minor = ".".join(tf.__version__.split(".")[:2])
    for version in get_args(ServingVersion):
        listed = {op for op, text in read_stock_ops(version).items() if not text}
        if version == minor:
            assert listed == here
        else:
            # Kept alive by the promise of TensorFlow to load older graphs.
            assert len(listed ^ here) < 40
