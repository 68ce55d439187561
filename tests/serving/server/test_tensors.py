"""gRPC's tensors are checked before anything is made of them."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from serving.server.refusal import Refusal
from serving.server.tensors import from_proto, to_proto

TEXTS = meta_graph_pb2.TensorInfo(
    dtype=types_pb2.DT_STRING, tensor_shape=tf.TensorShape([None]).as_proto()
)
NUMBERS = meta_graph_pb2.TensorInfo(
    dtype=types_pb2.DT_FLOAT, tensor_shape=tf.TensorShape([None, 2]).as_proto()
)
ANY = meta_graph_pb2.TensorInfo(
    dtype=types_pb2.DT_FLOAT, tensor_shape=tf.TensorShape(None).as_proto()
)


def _shaped(dtype, *shape, **values):
    tensor = tensor_pb2.TensorProto(dtype=dtype, **values)
    for size in shape:
        tensor.tensor_shape.dim.add(size=size)
    return tensor


def _reason(tensor, wanted, max_batch=8):
    with pytest.raises(Refusal) as refused:
        from_proto("x", tensor, wanted, max_batch)
    assert refused.value.code.name == "INVALID_ARGUMENT"
    return str(refused.value)


@pytest.mark.parametrize(
    "values",
    [
        np.array([b"a\x00", b""], object),
        np.array([[0.5, 1.5]], np.float32),
        np.array([[0.5]], np.float64),
        np.array([1, 2], np.int64),
        np.array([1, 2], np.uint8),
        np.array([True, False]),
        np.array(7, np.int32),
        np.zeros([0, 3], np.float32),
        np.array([0.5], np.float16),
    ],
)
def test_what_is_written_is_what_tensorflow_reads(values):
    read = tf.make_ndarray(to_proto(values))
    assert (read.dtype, read.shape, read.tolist()) == (values.dtype, values.shape, values.tolist())


def test_values_are_where_clients_of_tf_serving_look():
    assert list(to_proto(np.array([0.5, 2.0], np.float32)).float_val) == [0.5, 2.0]
    assert list(to_proto(np.array([b"a", b"b"], object)).string_val) == [b"a", b"b"]
    assert list(to_proto(np.array([1, 2], np.int64)).int64_val) == [1, 2]


def test_both_ways_of_writing_numbers_are_read():
    values = np.array([[0.5, 1.5]], np.float32)
    assert from_proto("x", tf.make_tensor_proto(values), NUMBERS).tolist() == values.tolist()
    assert from_proto("x", to_proto(values), NUMBERS).tolist() == values.tolist()


def test_a_single_value_stands_for_all_as_for_tensorflow():
    tensor = _shaped(types_pb2.DT_FLOAT, 3, 2, float_val=[0.5])
    assert from_proto("x", tensor, NUMBERS).tolist() == [[0.5, 0.5]] * 3


@pytest.mark.parametrize(
    ("tensor", "wanted", "reason"),
    [
        (
            _shaped(types_pb2.DT_STRING, 3, string_val=[b"one large text"]),
            TEXTS,
            "x: 1 strings do not fill the shape [3]",
        ),
        (_shaped(types_pb2.DT_FLOAT, 1), TEXTS, "x: expected DT_STRING, received DT_FLOAT"),
        (_shaped(999, 1), TEXTS, "x: expected DT_STRING, received 999"),
        (_shaped(types_pb2.DT_STRING), TEXTS, "x: expected the shape [any], received []"),
        (_shaped(types_pb2.DT_STRING, -1), TEXTS, "x: the shape of the tensor is not stated"),
        (_shaped(types_pb2.DT_STRING, 9), TEXTS, "x: the request has 9 examples, more than 8"),
        (
            _shaped(types_pb2.DT_FLOAT, 1, 3),
            NUMBERS,
            "x: expected the shape [any, 2], received [1, 3]",
        ),
        (
            _shaped(types_pb2.DT_FLOAT, 8, 10**9, float_val=[1.0]),
            ANY,
            "x: the shape [8, 1000000000] has more than 16777216 values",
        ),
    ],
)
def test_what_the_signature_does_not_take_is_refused(tensor, wanted, reason):
    assert _reason(tensor, wanted) == reason


@pytest.mark.parametrize(
    "tensor",
    [
        _shaped(types_pb2.DT_FLOAT, 1, 2, float_val=[1.0, 2.0, 3.0]),
        _shaped(types_pb2.DT_FLOAT, 1, 2, tensor_content=b"\x00\x00\x00"),
    ],
)
def test_values_that_do_not_fill_the_shape_are_refused(tensor):
    assert _reason(tensor, NUMBERS).startswith("x: the values do not fill the shape [1, 2]: ")
