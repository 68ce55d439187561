"""gRPC of the local server, asked with TF Serving's own stubs."""

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_pb2,
    predict_pb2,
    regression_pb2,
)


def _request(*pictures, name="colours", version=None, signature="", outputs=(), key="image"):
    spec = model_pb2.ModelSpec(name=name, signature_name=signature)
    if version is not None:
        spec.version.value = version
    request = predict_pb2.PredictRequest(model_spec=spec, output_filter=outputs)
    request.inputs[key].CopyFrom(tf.make_tensor_proto(list(pictures), tf.string))
    return request


def _refused(call, request):
    with pytest.raises(grpc.RpcError) as refused:
        call(request, timeout=30)
    return refused.value.code().name, refused.value.details()


def _code(send, body):
    try:
        send(body, timeout=30)
    except grpc.RpcError as error:
        return error.code().name
    return "OK"


# A changed bit of the picture may go unnoticed; nothing else may happen.
_REFUSALS = ("OK", "INTERNAL", "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION")


@pytest.fixture(scope="module")
def red(picture):
    return picture([255, 0, 0])


def test_predict_answers_as_the_model_answers(server, colours, picture, red):
    blue = picture([0, 0, 255])
    answer = server.predictions.Predict(_request(red, blue))
    model = tf.saved_model.load(str(colours / "7"))
    expected = model.signatures["serving_default"](image=tf.constant([red, blue]))
    assert set(answer.outputs) == set(expected)
    for name, output in answer.outputs.items():
        assert np.array_equal(tf.make_ndarray(output), expected[name].numpy())
    assert answer.model_spec.name == "colours"
    assert answer.model_spec.version.value == 7
    assert answer.model_spec.signature_name == "serving_default"


def test_the_values_are_where_clients_look_for_them(server, red):
    outputs = server.predictions.Predict(_request(red, version=7)).outputs
    assert list(outputs["label"].string_val) == [b"red"]
    assert outputs["probabilities"].float_val[0] == outputs["score"].float_val[0] > 0.7


def test_only_the_outputs_that_are_asked_for_come(server, red):
    answer = server.predictions.Predict(_request(red, outputs=["label"]))
    assert list(answer.outputs) == ["label"]


def test_another_signature_is_asked_by_name(server, red):
    image = tf.train.Feature(bytes_list=tf.train.BytesList(value=[red]))
    example = tf.train.Example(features=tf.train.Features(feature={"image": image}))
    request = _request(example.SerializeToString(), signature="serving_examples", key="examples")
    answer = server.predictions.Predict(request)
    assert answer.outputs["label"].string_val[0] == b"red"
    assert answer.model_spec.signature_name == "serving_examples"


def test_the_metadata_are_those_of_the_saved_model(server):
    request = get_model_metadata_pb2.GetModelMetadataRequest(
        model_spec=model_pb2.ModelSpec(name="colours"), metadata_field=["signature_def"]
    )
    answer = server.predictions.GetModelMetadata(request)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(signatures)
    assert answer.model_spec.version.value == 7
    assert list(signatures.signature_def["serving_default"].inputs) == ["image"]


def test_the_status_says_which_versions_there_are(server):
    request = get_model_status_pb2.GetModelStatusRequest(
        model_spec=model_pb2.ModelSpec(name="colours")
    )
    (status,) = server.models.GetModelStatus(request).model_version_status
    assert (status.version, status.status.error_code) == (7, 0)
    assert status.state == get_model_status_pb2.ModelVersionStatus.AVAILABLE


def test_the_other_methods_are_not_implemented(server):
    error = (
        "UNIMPLEMENTED",
        "The local server answers Predict, GetModelMetadata and GetModelStatus",
    )
    stub = server.predictions
    assert _refused(stub.Classify, classification_pb2.ClassificationRequest()) == error
    assert _refused(stub.Regress, regression_pb2.RegressionRequest()) == error
    assert _refused(stub.MultiInference, inference_pb2.MultiInferenceRequest()) == error
    reload = model_management_pb2.ReloadConfigRequest()
    assert _refused(server.models.HandleReloadConfigRequest, reload) == error


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        ({"name": "x"}, "NOT_FOUND", "Servable not found for request: Latest(x)"),
        ({"version": 8}, "NOT_FOUND", "Servable not found for request: Specific(colours, 8)"),
        (
            {"signature": "other"},
            "FAILED_PRECONDITION",
            'Serving signature name: "other" not found in signature def; '
            "valid: serving_default, serving_examples, transformed_labels",
        ),
        (
            {"key": "picture"},
            "INVALID_ARGUMENT",
            "input size does not match signature: 1!=1. "
            "Sent extra: {picture}. Missing but required: {image}.",
        ),
        (
            {"outputs": ["label", "x"]},
            "INVALID_ARGUMENT",
            "output tensor alias not found in signature: x "
            "Outputs expected to be in the set {classes,label,probabilities,score}.",
        ),
    ],
)
def test_what_is_not_there_is_refused_by_name(server, red, arguments, code, error):
    assert _refused(server.predictions.Predict, _request(red, **arguments)) == (code, error)


def test_a_request_for_no_model_or_a_label_is_refused(server, red):
    request = predict_pb2.PredictRequest()
    assert _refused(server.predictions.Predict, request) == (
        "INVALID_ARGUMENT",
        "Missing ModelSpec",
    )
    request = _request(red)
    request.model_spec.version_label = "stable"
    assert _refused(server.predictions.Predict, request) == (
        "INVALID_ARGUMENT",
        "Unrecognized servable version label: stable",
    )


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ([], "GetModelMetadataRequest must specify at least one metadata_field"),
        (["signature_def", "x"], "Metadata field x is not supported"),
    ],
)
def test_only_signatures_are_known_as_metadata(server, fields, error):
    request = get_model_metadata_pb2.GetModelMetadataRequest(
        model_spec=model_pb2.ModelSpec(name="colours"), metadata_field=fields
    )
    assert _refused(server.predictions.GetModelMetadata, request) == ("INVALID_ARGUMENT", error)


def test_bad_pictures_and_tensors_are_refused(server, red):
    predict = server.predictions.Predict
    assert _refused(predict, _request(red, b"hello")) == (
        "INVALID_ARGUMENT",
        "image[1]: not a JPEG, PNG, GIF or BMP: the file starts with b'hello'",
    )
    assert _refused(predict, _request(red[:-20]))[0] == "INVALID_ARGUMENT"
    request = _request(red)
    request.inputs["image"].CopyFrom(tf.make_tensor_proto([[1.0]]))
    assert _refused(predict, request) == (
        "INVALID_ARGUMENT",
        "image: expected DT_STRING, received DT_FLOAT",
    )
    assert predict(_request(red)).outputs["label"].string_val[0] == b"red"


def test_bytes_that_are_no_message_are_refused(server, red):
    channel = grpc.insecure_channel(server.address, [("grpc.enable_http_proxy", 0)])
    send = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
    body = _request(red).SerializeToString()
    chance = np.random.default_rng(0)
    for length in range(1, 60):
        with pytest.raises(grpc.RpcError):
            send(chance.bytes(length), timeout=30)
        broken = bytearray(body)
        broken[chance.integers(len(body))] ^= 1 << int(chance.integers(8))
        assert _code(send, bytes(broken)) in _REFUSALS
    channel.close()
    assert server.predictions.Predict(_request(red)).outputs["label"].string_val[0] == b"red"


def test_an_empty_deadline_is_told_so(server, red):
    with pytest.raises(grpc.RpcError) as refused:
        server.predictions.Predict(_request(red), timeout=0)
    assert refused.value.code().name == "DEADLINE_EXCEEDED"
