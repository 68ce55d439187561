"""Tensors as gRPC carries them, checked against what a signature takes."""

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from serving.server.refusal import invalid

# A message of a few bytes may state any shape: missing values repeat the last.
_MOST_VALUES = 2**24

# Where clients look for the values; others are written as TensorFlow likes.
_FIELDS = {
    types_pb2.DT_FLOAT: "float_val",
    types_pb2.DT_DOUBLE: "double_val",
    types_pb2.DT_INT8: "int_val",
    types_pb2.DT_INT16: "int_val",
    types_pb2.DT_INT32: "int_val",
    types_pb2.DT_UINT8: "int_val",
    types_pb2.DT_INT64: "int64_val",
    types_pb2.DT_BOOL: "bool_val",
    types_pb2.DT_STRING: "string_val",
}


def check_shape(
    name: str,
    shape: Sequence[int],
    wanted: meta_graph_pb2.TensorInfo,
    max_batch: int = _MOST_VALUES,
) -> None:
    """Refuses a shape that the signature does not take.

    Args:
        name: The input.
        shape: What was sent.
        wanted: What is taken.
        max_batch: Examples that one request may have.
    """
    known = None if wanted.tensor_shape.unknown_rank else [d.size for d in wanted.tensor_shape.dim]
    fits = known is None or (
        len(known) == len(shape)
        and all(size in (-1, given) for size, given in zip(known, shape, strict=True))
    )
    if not fits:
        taken = ["any" if size == -1 else size for size in known or []]
        raise invalid(f"{name}: expected the shape [{_join(taken)}], received [{_join(shape)}]")
    if shape and shape[0] > max_batch:
        raise invalid(f"{name}: the request has {shape[0]} examples, more than {max_batch}")
    if math.prod(shape) > _MOST_VALUES:
        raise invalid(f"{name}: the shape [{_join(shape)}] has more than {_MOST_VALUES} values")


def from_proto(
    name: str,
    tensor: tensor_pb2.TensorProto,
    wanted: meta_graph_pb2.TensorInfo,
    max_batch: int = _MOST_VALUES,
) -> np.ndarray:
    """Reads a tensor.

    Args:
        name: The input.
        tensor: As it was sent; missing numbers repeat the last one.
        wanted: What the signature takes.
        max_batch: Examples that one request may have.

    Returns:
        The values; strings as an array of `bytes` objects.

    Raises:
        Refusal: If its type or shape is another, or its values do not fill it.
    """
    if tensor.dtype != wanted.dtype:
        raise invalid(
            f"{name}: expected {type_name(wanted.dtype)}, received {type_name(tensor.dtype)}"
        )
    shape = [one.size for one in tensor.tensor_shape.dim]
    if tensor.tensor_shape.unknown_rank or min(shape, default=0) < 0:
        raise invalid(f"{name}: the shape of the tensor is not stated")
    check_shape(name, shape, wanted, max_batch)
    if tensor.dtype == types_pb2.DT_STRING and len(tensor.string_val) != math.prod(shape):
        # A last one that is repeated would be copied for each row, far beyond --max-bytes.
        found = len(tensor.string_val)
        raise invalid(f"{name}: {found} strings do not fill the shape [{_join(shape)}]")
    try:
        return tf.make_ndarray(tensor)
    except (ValueError, TypeError) as error:
        what = f"{name}: the values do not fill the shape [{_join(shape)}]"
        raise invalid(f"{what}: {error}") from None


def to_proto(array: np.ndarray) -> tensor_pb2.TensorProto:
    """Writes a tensor with its values where TF Serving's clients look for them.

    Args:
        array: The values; an array of objects holds `bytes`.
    """
    dtype = tf.as_dtype(array.dtype).as_datatype_enum
    if dtype not in _FIELDS:
        return tf.make_tensor_proto(array)
    tensor = tensor_pb2.TensorProto(dtype=dtype)
    tensor.tensor_shape.SetInParent()
    for size in array.shape:
        tensor.tensor_shape.dim.add(size=size)
    getattr(tensor, _FIELDS[dtype]).extend(array.ravel().tolist())
    return tensor


def type_name(dtype: int) -> str:
    """Spells a type as TF Serving does, such as DT_STRING."""
    return types_pb2.DataType.Name(dtype) if dtype in types_pb2.DataType.values() else str(dtype)


def _join(sizes: Sequence[object]) -> str:
    return ", ".join(str(size) for size in sizes)
