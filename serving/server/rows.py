"""Tensors as REST carries them: rows (`instances`) or columns (`inputs`).

The rules are TF Serving's, https://www.tensorflow.org/tfx/serving/api_rest:
NaN and Infinity may stand for numbers, a row of a signature with one input need
not name it, outputs are named unless there is only one, and those whose name
ends in `_bytes` are base64.
"""

import base64
import binascii
import functools
import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2

from serving.server.refusal import invalid
from serving.server.tensors import check_shape, type_name

_ROWS, _COLUMNS, _SIGNATURE = "instances", "inputs", "signature_name"
# Whole numbers up to here are exact as a float, by its size in bytes.
_EXACT = {2: 2**11 - 1, 4: 2**24 - 1, 8: 2**53 - 1}
_SHOWN = 60

Inputs = Mapping[str, meta_graph_pb2.TensorInfo]


def parse_request(body: bytes) -> dict[str, Any]:
    """Reads a request's JSON; what is in it is not looked at yet.

    Raises:
        Refusal: If it is no JSON object with one of the two formats.
    """
    try:
        request = json.loads(body.decode())
    except RecursionError:
        raise invalid("JSON Parse error: nested too deeply") from None
    except ValueError as error:
        raise invalid(f"JSON Parse error: {error}") from None
    if not isinstance(request, dict):
        raise invalid(f"The request is {_show(request)}, not an object")
    signature = request.get(_SIGNATURE, "")
    if not isinstance(signature, str):
        raise invalid(f"'{_SIGNATURE}' must be a string, received {_show(signature)}")
    if (_ROWS in request) == (_COLUMNS in request):
        problem = "Expecting only one of" if _ROWS in request else "Missing"
        raise invalid(f"{problem} '{_COLUMNS}' or '{_ROWS}' key")
    return request


def signature_of(request: Mapping[str, Any]) -> str:
    """The signature that is asked for; empty for the default one."""
    return request.get(_SIGNATURE, "")


def is_rows(request: Mapping[str, Any]) -> bool:
    """Whether the answer is in rows as well."""
    return _ROWS in request


def to_arrays(request: Mapping[str, Any], inputs: Inputs, max_batch: int) -> dict[str, np.ndarray]:
    """Makes an array of each input.

    Args:
        request: What `parse_request` gave.
        inputs: What the signature takes.
        max_batch: Examples that one request may have.

    Raises:
        Refusal: With the place in the request where the first mistake is.
    """
    if is_rows(request):
        columns = _columns_of_rows(request[_ROWS], inputs)

        def place(name: str, at: tuple[int, ...]) -> str:
            row = f"{_ROWS}[{at[0]}]" if at else _ROWS
            return f"{row}.{name}" + "".join(f"[{one}]" for one in at[1:])
    else:
        columns = _columns(request[_COLUMNS], inputs)

        def place(name: str, at: tuple[int, ...]) -> str:
            return f"{_COLUMNS}.{name}" + "".join(f"[{one}]" for one in at)

    return {
        name: _to_array(value, inputs[name], max_batch, functools.partial(place, name))
        for name, value in columns.items()
    }


def _columns_of_rows(rows: Any, inputs: Inputs) -> dict[str, list[Any]]:
    if not isinstance(rows, list) or not rows:
        raise invalid(f"'{_ROWS}' must be a list of at least one value, received {_show(rows)}")
    named = [isinstance(row, dict) and not _is_base64(row) for row in rows]
    if not any(named) and len(inputs) == 1:
        return {next(iter(inputs)): rows}
    for at, row in enumerate(rows):
        if not named[at] or row.keys() != inputs.keys():
            wanted = f"an object with the keys {_names(inputs)}"
            received = f"the keys {_names(row)}" if named[at] else _show(row)
            raise invalid(f"{_ROWS}[{at}]: expected {wanted}, received {received}")
    return {name: [row[name] for row in rows] for name in inputs}


def _columns(columns: Any, inputs: Inputs) -> dict[str, Any]:
    if not isinstance(columns, dict) or _is_base64(columns):
        if len(inputs) != 1:
            wanted = f"an object with the keys {_names(inputs)}"
            raise invalid(f"{_COLUMNS}: expected {wanted}, received {_show(columns)}")
        return {next(iter(inputs)): columns}
    missing = inputs.keys() - columns.keys()
    if missing:
        raise invalid(f"Missing named input: {_names(missing)} in '{_COLUMNS}' object.")
    return {name: columns[name] for name in inputs}


Place = Callable[[tuple[int, ...]], str]


def _to_array(
    value: Any, wanted: meta_graph_pb2.TensorInfo, max_batch: int, place: Place
) -> np.ndarray:
    """Makes a dense array of nested lists; the first values give the shape."""
    shape: list[int] = []
    first = value
    while isinstance(first, list):
        shape.append(len(first))
        first = first[0] if first else None
    check_shape(place(()), shape, wanted, max_batch)
    dtype = tf.as_dtype(wanted.dtype).as_numpy_dtype
    flat: list[Any] = []

    def fill(value: Any, at: tuple[int, ...]) -> None:
        if len(at) == len(shape):
            flat.append(_to_scalar(value, wanted.dtype, np.dtype(dtype), at, place))
            return
        if not isinstance(value, list) or len(value) != shape[len(at)]:
            received = f"one of {len(value)}" if isinstance(value, list) else _show(value)
            raise invalid(f"{place(at)}: expected a list of {shape[len(at)]}, received {received}")
        for index, one in enumerate(value):
            fill(one, (*at, index))

    fill(value, ())
    return np.array(flat, dtype).reshape(shape)


def _to_scalar(value: Any, enum: int, dtype: np.dtype, at: tuple[int, ...], place: Place) -> Any:
    number = isinstance(value, int) and not isinstance(value, bool)
    if dtype.kind == "O":
        if isinstance(value, str):
            return _encode(value, at, place)
        if _is_base64(value):
            return _decode_base64(value["b64"], at, place)
    elif dtype.kind == "b":
        if isinstance(value, bool):
            return value
    elif dtype.kind in "iu":
        if number and np.iinfo(dtype).min <= value <= np.iinfo(dtype).max:
            return value
    elif number:
        if abs(value) <= _EXACT[min(dtype.itemsize, 8)]:
            return float(value)
        raise invalid(f"{place(at)}: {_show(value)} loses precision as {type_name(enum)}")
    elif isinstance(value, float) and (
        not math.isfinite(value) or abs(value) <= float(tf.as_dtype(enum).max)
    ):
        return value
    raise invalid(f"{place(at)}: {_show(value)} is not of expected type: {type_name(enum)}")


def _encode(value: str, at: tuple[int, ...], place: Place) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise invalid(f"{place(at)}: half of a surrogate pair has no UTF-8") from None


def _is_base64(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str)


def _decode_base64(text: str, at: tuple[int, ...], place: Place) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise invalid(f"{place(at)}: unable to base64 decode {_show(text)}") from None


def to_json(outputs: Mapping[str, np.ndarray], *, rows: bool) -> bytes:
    """Writes an answer.

    Args:
        outputs: Arrays by name; objects are `bytes`.
        rows: In rows rather than columns.

    Raises:
        Refusal: In rows, if the outputs are not of one batch.
    """
    columns = {name: _to_lists(name, array) for name, array in outputs.items()}
    if not rows:
        body = {"outputs": columns if len(columns) > 1 else next(iter(columns.values()))}
    else:
        sizes = {name: array.shape[:1] for name, array in outputs.items()}
        if len(set(sizes.values())) != 1 or () in sizes.values():
            raise invalid(f"The outputs have no common batch size, so ask for columns: {sizes}")
        if len(columns) > 1:
            by_row = zip(*columns.values(), strict=True)
            body = {"predictions": [dict(zip(columns, row, strict=True)) for row in by_row]}
        else:
            body = {"predictions": next(iter(columns.values()))}
    return json.dumps(body, ensure_ascii=False).encode()


def _to_lists(name: str, array: np.ndarray) -> Any:
    if array.dtype == object:
        write: Callable[[Any], Any] = _write_base64 if name.endswith("_bytes") else _write_text
    elif array.dtype.kind == "f" and array.dtype.itemsize < 8:
        # 0.2, and not what 0.2 becomes as a double.
        write = _write_short
    else:
        return array.tolist()
    flat = np.empty(array.size, object)
    flat[:] = [write(one) for one in array.ravel()]
    return flat.reshape(array.shape).tolist()


def _write_base64(value: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(value).decode()}


def _write_text(value: bytes) -> str:
    return value.decode(errors="replace")


def _write_short(value: np.floating) -> float:
    return float(str(value))


def _show(value: Any) -> str:
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    text = json.dumps(value[: _SHOWN + 1] if isinstance(value, str) else value)
    return text if len(text) <= _SHOWN + 2 else f"{text[:_SHOWN]}…"


def _names(keys: Iterable[str]) -> str:
    return ", ".join(sorted(keys)) or "none"
