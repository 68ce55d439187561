"""Speaks TF Serving's gRPC; importing it imports TensorFlow, for its messages."""

from collections.abc import Callable
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf.message import Message
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    model_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving.client.errors import ServerError, no_signature
from serving.client.rows import Rows
from serving.client.target import Target


class RpcClient:
    """One model of one server, over gRPC; close it after use."""

    def __init__(self, target: Target, seconds: float) -> None:
        """Connects with the first request.

        Args:
            target: The server and the model.
            seconds: That one answer may take.
        """
        self._target = target
        self._seconds = seconds
        options = [("grpc.max_receive_message_length", -1)]
        if target.is_loopback:
            options.append(("grpc.enable_http_proxy", 0))
        self._channel = grpc.insecure_channel(target.address, options)
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._types: dict[str, int] = {}

    def close(self) -> None:
        """Ends the connection."""
        self._channel.close()

    def inputs(self, signature: str) -> dict[str, str]:
        """Asks which inputs a signature has, and their types.

        Args:
            signature: Its name.

        Returns:
            Types such as DT_STRING, by name, in the order of the names.

        Raises:
            ServerError: If the server cannot be reached or refuses.
        """
        request = get_model_metadata_pb2.GetModelMetadataRequest(model_spec=self._spec())
        request.metadata_field.append("signature_def")
        answer = self._ask(self._stub.GetModelMetadata, request)
        found = get_model_metadata_pb2.SignatureDefMap()
        answer.metadata["signature_def"].Unpack(found)
        if signature not in found.signature_def:
            raise no_signature(signature, found.signature_def)
        inputs = found.signature_def[signature].inputs
        self._types = {name: inputs[name].dtype for name in sorted(inputs)}
        return {name: types_pb2.DataType.Name(dtype) for name, dtype in self._types.items()}

    def predict(self, signature: str, rows: Rows) -> list[dict[str, Any]]:
        """Asks for the outputs of some rows, after `inputs`.

        Args:
            signature: Its name.
            rows: With the columns that it takes.

        Returns:
            The outputs of each row, by name.

        Raises:
            ServerError: If the server cannot be reached or refuses.
        """
        request = predict_pb2.PredictRequest(model_spec=self._spec())
        request.model_spec.signature_name = signature
        for name, column in rows.columns.items():
            dtype = tf.as_dtype(self._types[name])
            values = np.array(column, dtype.as_numpy_dtype)
            request.inputs[name].CopyFrom(tf.make_tensor_proto(values, dtype))
        answer = self._ask(self._stub.Predict, request)
        outputs = {name: _to_lists(one) for name, one in sorted(answer.outputs.items())}
        if any(len(one) != len(rows.names) for one in outputs.values()):
            raise ServerError("The answer has another number of rows than the request")
        return [dict(zip(outputs, row, strict=True)) for row in zip(*outputs.values(), strict=True)]

    def _spec(self) -> model_pb2.ModelSpec:
        spec = model_pb2.ModelSpec(name=self._target.name)
        if self._target.version is not None:
            spec.version.value = self._target.version
        return spec

    def _ask(self, method: Callable[..., Any], request: Message) -> Any:
        try:
            return method(request, timeout=self._seconds)
        except grpc.RpcError as error:
            code, said = error.code(), error.details()
            if code == grpc.StatusCode.UNAVAILABLE:
                raise ServerError(f"{self._target.address} cannot be reached: {said}") from None
            raise ServerError(f"The server refuses ({code.name}): {said}") from None


def _to_lists(tensor: tensor_pb2.TensorProto) -> list[Any]:
    array = tf.make_ndarray(tensor)
    if array.dtype == object:
        flat = np.empty(array.size, object)
        flat[:] = [one.decode(errors="replace") for one in array.ravel()]
        array = flat.reshape(array.shape)
    return array.tolist() if array.ndim else [array.item()]
