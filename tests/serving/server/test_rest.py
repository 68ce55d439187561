"""REST of the local server, as TF Serving's users know it, against calls of the model itself."""

import base64
import gzip
import json
import shlex

import numpy as np
import pytest
import tensorflow as tf

NOT_PICTURES = {
    "hello": "not a JPEG, PNG, GIF or BMP: the file starts with b'hello'",
    "<html>": "the file is a web page, not a picture: the download that made it probably failed",
}


def _b64(content):
    return {"b64": base64.b64encode(content).decode()}


@pytest.fixture(scope="module")
def direct(colours):
    """The model, called in this process."""
    model = tf.saved_model.load(str(colours / "7"))

    def call(*pictures):
        outputs = model.signatures["serving_default"](image=tf.constant(pictures))
        return {name: one.numpy() for name, one in outputs.items()}

    return call


@pytest.fixture(scope="module")
def two(picture):
    return picture([255, 0, 0]), picture([0, 0, 255])


def test_rows_are_answered_as_the_model_answers(server, direct, two):
    answer = server.post({"instances": [{"image": _b64(one)} for one in two]})
    expected = direct(*two)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    rows = answer.json()["predictions"]
    assert [row["label"] for row in rows] == ["red", "blue"]
    assert [row["classes"] for row in rows] == [["red", "blue"]] * 2
    # As float32, not a bit is lost on the way.
    assert np.array_equal(
        np.array([row["probabilities"] for row in rows], np.float32), expected["probabilities"]
    )


def test_rows_need_not_name_the_only_input(server, two):
    named = server.post({"instances": [{"image": _b64(one)} for one in two]}).json()
    assert server.post({"instances": [_b64(one) for one in two]}).json() == named


def test_columns_are_answered_with_columns(server, direct, two):
    answer = server.post({"inputs": {"image": [_b64(one) for one in two]}}).json()["outputs"]
    expected = direct(*two)
    assert answer["label"] == ["red", "blue"]
    assert np.array_equal(np.array(answer["probabilities"], np.float32), expected["probabilities"])
    assert server.post({"inputs": [_b64(one) for one in two]}).json()["outputs"] == answer


def test_a_batch_of_none_is_answered(server):
    outputs = server.post({"inputs": {"image": []}}).json()["outputs"]
    assert (outputs["label"], outputs["probabilities"]) == ([], [])


def test_other_signatures_are_asked_by_name(server, two):
    image = tf.train.Feature(bytes_list=tf.train.BytesList(value=[two[0]]))
    example = tf.train.Example(features=tf.train.Features(feature={"image": image}))
    body = {
        "signature_name": "serving_examples",
        "instances": [_b64(example.SerializeToString())],
    }
    assert server.post(body).json()["predictions"][0]["label"] == "red"


def test_a_version_can_be_asked_by_its_number(server, two):
    body = {"instances": [_b64(two[0])]}
    answer = server.post(body, "/versions/7:predict")
    assert answer.json()["predictions"][0]["label"] == "red"
    answer = server.post(body, "/versions/8:predict")
    error = "Servable not found for request: Specific(colours, 8)"
    assert (answer.status_code, answer.json()) == (404, {"error": error})


def test_the_status_says_which_versions_there_are(server):
    expected = {
        "model_version_status": [
            {
                "version": "7",
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }
    for url in (server.url, f"{server.url}/versions/7"):
        answer = server.http.get(url)
        assert (answer.status_code, answer.json()) == (200, expected)


def test_the_metadata_say_what_each_signature_takes_and_gives(server):
    body = server.http.get(f"{server.url}/metadata").json()
    assert body["model_spec"] == {"name": "colours", "signature_name": "", "version": "7"}
    signatures = body["metadata"]["signature_def"]["signature_def"]
    assert {"serving_default", "serving_examples", "transformed_labels"} <= set(signatures)
    default = signatures["serving_default"]
    assert default["method_name"] == "tensorflow/serving/predict"
    assert default["inputs"] == {
        "image": {
            "dtype": "DT_STRING",
            "name": "serving_default_image:0",
            "tensor_shape": {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False},
        }
    }
    assert default["outputs"]["probabilities"]["dtype"] == "DT_FLOAT"


def test_the_sample_that_is_shown_at_the_start_works(server):
    line = next(line for line in server.said if "Try" in line)
    program, flag, body, url = shlex.split(line.split("Try", 1)[1])
    assert (program, flag, url) == ("curl", "-d", f"{server.url}:predict")
    answer = server.http.post(url, content=body)
    assert answer.json()["predictions"][0]["classes"] == ["red", "blue"]


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("GET", "/", 404, "Not found: /"),
        ("POST", "/v2/models/colours:predict", 404, "Not found: /v2/models/colours:predict"),
        ("GET", "/v1/models", 400, "Malformed request: GET /v1/models"),
        (
            "GET",
            "/v1/models/colours:predict",
            400,
            "Malformed request: GET /v1/models/colours:predict",
        ),
        ("PUT", "/v1/models/colours", 400, "Malformed request: PUT /v1/models/colours"),
        (
            "POST",
            "/v1/models/colours:explain",
            400,
            "Malformed request: POST /v1/models/colours:explain",
        ),
        ("POST", "/v1/models/colours:classify", 501, "The local server answers predict only"),
        ("POST", "/v1/models/x:predict", 404, "Servable not found for request: Latest(x)"),
        (
            "POST",
            "/v1/models/x/versions/3:predict",
            404,
            "Servable not found for request: Specific(x, 3)",
        ),
        ("GET", "/v1/models/x", 404, "Could not find any versions of model x"),
        ("GET", "/v1/models/colours/versions/8", 404, "Could not find version 8 of model colours"),
        ("GET", "/v1/models/a%2Fb/metadata", 404, "Servable not found for request: Latest(a/b)"),
        (
            "POST",
            "/v1/models/colours/labels/stable:predict",
            400,
            "Unrecognized servable version label: stable",
        ),
        (
            "GET",
            f"/v1/models/colours/versions/{2**63}",
            400,
            f"Failed to convert version: {2**63} to numeric.",
        ),
    ],
)
def test_an_address_that_is_none_gets_tf_servings_status(server, method, path, status, error):
    origin = server.url.split("/v1")[0]
    answer = server.http.request(method, origin + path)
    assert (answer.status_code, answer.json()) == (status, {"error": error})


def test_names_in_addresses_may_be_in_any_case_but_the_models(server):
    origin = server.url.split("/v1")[0]
    assert server.http.get(f"{origin}/V1/Models/colours").status_code == 200
    assert server.http.get(f"{origin}/v1/models/COLOURS").status_code == 404


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "JSON Parse error: Expecting value: line 1 column 1 (char 0)"),
        (
            b"\x00\xff\xfe" * 50,
            "JSON Parse error: 'utf-8' codec can't decode byte 0xff in position 1: "
            "invalid start byte",
        ),
        (
            b'{"instances": [{"image"',
            "JSON Parse error: Expecting ':' delimiter: line 1 column 24 (char 23)",
        ),
        (b'{"instances": ' + b"[" * 200_000, "JSON Parse error: nested too deeply"),
        (b"[" * 200_000 + b"]" * 200_000, "JSON Parse error: nested too deeply"),
        (
            {"instances": [[[[[_b64(b"x")]]]]]},
            "instances.image: expected the shape [any], received [1, 1, 1, 1, 1]",
        ),
        ({"instances": [{"image": 1}]}, "instances[0].image: 1 is not of expected type: DT_STRING"),
        (
            {"instances": [{"b64": "?" * 999}]},
            f'instances[0].image: unable to base64 decode "{"?" * 59}…',
        ),
        (
            {"instances": [{"picture": "x"}]},
            "instances[0]: expected an object with the keys image, received the keys picture",
        ),
        ({"instances": [_b64(b"hello")]}, f"image[0]: {NOT_PICTURES['hello']}"),
        ({"instances": ["", "<html>"]}, f"image[1]: {NOT_PICTURES['<html>']}"),
        (
            {"instances": ["x"], "signature_name": "other"},
            'Serving signature name: "other" not found in signature def; '
            "valid: serving_default, serving_examples, transformed_labels",
        ),
        (
            {"instances": ["x"] * 1025},
            "instances.image: the request has 1025 examples, more than 1024",
        ),
        (
            {"instances": ["x"], "signature_name": "serving_examples"},
            "examples[0]: not a serialized tf.Example",
        ),
    ],
)
def test_garbage_is_refused_with_its_reason(server, body, error):
    answer = server.post(body)
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]
    assert answer.json()["error"] == error


def test_a_picture_that_is_cut_short_is_refused_alone(server, picture, two):
    damaged = two[0][:-20]
    answer = server.post({"instances": [_b64(damaged)]})
    assert answer.status_code == 400
    assert server.post({"instances": [_b64(two[0])]}).status_code == 200


def test_compressed_bodies_are_not_unpacked(server):
    bomb = gzip.compress(b"[" * 10_000_000)
    answer = server.post(bomb, headers={"content-encoding": "gzip"})
    error = "Content-Encoding gzip is not understood"
    assert (answer.status_code, answer.json()) == (415, {"error": error})


def test_random_bytes_never_break_the_server(server, two):
    chance = np.random.default_rng(0)
    body = json.dumps({"instances": [_b64(two[0])]}).encode()
    for _ in range(60):
        broken = bytearray(body)
        for at in chance.integers(0, len(body), 3):
            broken[at] = chance.integers(0, 256)
        # A changed bit of the picture may go unnoticed; nothing else may happen.
        assert server.post(bytes(broken)).status_code in (200, 400)
    assert server.post(body).json()["predictions"][0]["label"] == "red"
