"""TF Serving's JSON, its rows and columns, and every mistake in it with its place."""

import json

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2

from serving.server.refusal import Refusal
from serving.server.rows import is_rows, parse_request, signature_of, to_arrays, to_json


def _info(dtype, *shape):
    return meta_graph_pb2.TensorInfo(
        dtype=tf.as_dtype(dtype).as_datatype_enum,
        tensor_shape=tf.TensorShape([None if one == -1 else one for one in shape]).as_proto(),
    )


WORD = {"word": _info("string", -1)}
MANY = {
    "picture": _info("string", -1),
    "price": _info("float32", -1),
    "count": _info("int32", -1),
    "sold": _info("bool", -1),
}
MATRIX = {"x": _info("float32", -1, 2, 3)}


def _read(request, inputs, max_batch=8):
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    arrays = to_arrays(parse_request(body), inputs, max_batch)
    return {name: (one.dtype, one.tolist()) for name, one in arrays.items()}


def _reason(request, inputs=WORD, max_batch=8):
    with pytest.raises(Refusal) as refused:
        _read(request, inputs, max_batch)
    assert refused.value.http == 400
    return str(refused.value)


def test_a_row_names_its_inputs():
    rows = [
        {"picture": {"b64": "AAD/"}, "price": 1.5, "count": 2, "sold": True},
        {"picture": "", "price": 3, "count": -1, "sold": False},
    ]
    assert _read({"instances": rows}, MANY) == {
        "picture": (object, [b"\x00\x00\xff", b""]),
        "price": (np.float32, [1.5, 3.0]),
        "count": (np.int32, [2, -1]),
        "sold": (bool, [True, False]),
    }


def test_a_row_of_one_input_need_not_name_it():
    for rows in (["a", "b"], [{"b64": "YQ=="}, {"b64": "Yg"}], [{"word": "a"}, {"word": "b"}]):
        assert _read({"instances": rows}, WORD) == {"word": (object, [b"a", b"b"])}


def test_columns_are_whole_tensors():
    value = [[[1, 2, 3], [4, 5, 6]]]
    for columns in (value, {"x": value}):
        assert _read({"inputs": columns}, MATRIX) == {"x": (np.float32, value)}
    assert _read({"instances": value}, MATRIX) == {"x": (np.float32, value)}
    assert _read({"inputs": {"b64": "YQ=="}}, {"word": _info("string")}) == {"word": (object, b"a")}


def test_a_batch_of_none_has_the_shape_of_none():
    arrays = to_arrays(parse_request(b'{"inputs": {"word": []}}'), WORD, 8)
    assert arrays["word"].shape == (0,)


def test_text_is_utf_8():
    assert _read({"instances": ["Zürich, 東京"]}, WORD)["word"][1] == ["Zürich, 東京".encode()]
    assert _reason(b'{"instances": ["\xff"]}').startswith("JSON Parse error: 'utf-8' codec can't")
    assert _reason(b'{"instances": ["\\ud800"]}') == (
        "instances[0].word: half of a surrogate pair has no UTF-8"
    )


def test_nan_and_infinity_are_numbers_as_for_tf_serving():
    price = {"price": MANY["price"]}
    found = _read(b'{"instances": [NaN, Infinity, -Infinity]}', price)["price"][1]
    assert str(found) == "[nan, inf, -inf]"
    assert _reason(b'{"instances": [NaN]}', {"count": MANY["count"]}) == (
        "instances[0].count: NaN is not of expected type: DT_INT32"
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "JSON Parse error: Expecting value: line 1 column 1 (char 0)"),
        (b'{"instances": [', "JSON Parse error: Expecting value: line 1 column 16 (char 15)"),
        (b'{"instances": ' + b"[" * 100_000, "JSON Parse error: nested too deeply"),
        (b"[1]", "The request is a list, not an object"),
        (b'"' + b"x" * 100 + b'"', f'The request is "{"x" * 59}…, not an object'),
        (b"{}", "Missing 'inputs' or 'instances' key"),
        (b'{"inputs": 1, "instances": [1]}', "Expecting only one of 'inputs' or 'instances' key"),
        (b'{"inputs": 1, "signature_name": 2}', "'signature_name' must be a string, received 2"),
        (b'{"instances": []}', "'instances' must be a list of at least one value, received a list"),
        (
            b'{"instances": {}}',
            "'instances' must be a list of at least one value, received an object",
        ),
    ],
)
def test_what_is_no_request_is_refused(body, reason):
    assert _reason(body) == reason


@pytest.mark.parametrize(
    ("request_", "inputs", "reason"),
    [
        ({"instances": [1]}, WORD, "instances[0].word: 1 is not of expected type: DT_STRING"),
        ({"instances": [None]}, WORD, "instances[0].word: null is not of expected type: DT_STRING"),
        (
            {"instances": ["a", {"b64": "?"}]},
            WORD,
            'instances[1].word: unable to base64 decode "?"',
        ),
        (
            {"instances": [{"b64": "YQ==", "x": 1}]},
            WORD,
            "instances[0]: expected an object with the keys word, received the keys b64, x",
        ),
        (
            {"instances": [{"word": "a"}, "b"]},
            WORD,
            'instances[1]: expected an object with the keys word, received "b"',
        ),
        (
            {"instances": [["a"]]},
            WORD,
            "instances.word: expected the shape [any], received [1, 1]",
        ),
        (
            {"instances": ["a", ["b"]]},
            WORD,
            "instances[1].word: a list is not of expected type: DT_STRING",
        ),
        (
            {"instances": [[[1, 2, 3], [4, 5, 6]], [[1, 2, 3], [4, 5]]]},
            MATRIX,
            "instances[1].x[1]: expected a list of 3, received one of 2",
        ),
        (
            {"inputs": [[[1, 2, 3], 4]]},
            MATRIX,
            "inputs.x[0][1]: expected a list of 3, received 4",
        ),
        (
            {"instances": ["a"] * 9},
            WORD,
            "instances.word: the request has 9 examples, more than 8",
        ),
        (
            {"inputs": ["a"]},
            MANY,
            "inputs: expected an object with the keys count, picture, price, sold, received a list",
        ),
        (
            {"inputs": {"price": [1]}},
            MANY,
            "Missing named input: count, picture, sold in 'inputs' object.",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_place(request_, inputs, reason):
    assert _reason(request_, inputs) == reason


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("price", "1", 'instances[0].price: "1" is not of expected type: DT_FLOAT'),
        ("price", True, "instances[0].price: true is not of expected type: DT_FLOAT"),
        ("price", 1e39, "instances[0].price: 1e+39 is not of expected type: DT_FLOAT"),
        ("price", 2**24, "instances[0].price: 16777216 loses precision as DT_FLOAT"),
        ("count", 1.0, "instances[0].count: 1.0 is not of expected type: DT_INT32"),
        ("count", 2**31, "instances[0].count: 2147483648 is not of expected type: DT_INT32"),
        ("sold", 1, "instances[0].sold: 1 is not of expected type: DT_BOOL"),
    ],
)
def test_numbers_are_taken_only_without_loss(name, value, reason):
    assert _reason({"instances": [value]}, {name: MANY[name]}) == reason


def test_the_signature_and_the_format_are_known_before_the_values():
    request = parse_request(b'{"signature_name": "other", "inputs": 1}')
    assert (signature_of(request), is_rows(request)) == ("other", False)
    request = parse_request(b'{"instances": [1]}')
    assert (signature_of(request), is_rows(request)) == ("", True)


def _write(outputs, rows):
    return json.loads(to_json(outputs, rows=rows))


OUTPUTS = {
    "label": np.array([b"Z\xc3\xbcrich", b"\xff"], object),
    "p": np.array([[0.2, 0.8], [1, 0]], np.float32),
    "raw_bytes": np.array([b"\x00", b""], object),
}


def test_an_answer_in_rows_names_its_outputs():
    assert _write(OUTPUTS, rows=True) == {
        "predictions": [
            {"label": "Zürich", "p": [0.2, 0.8], "raw_bytes": {"b64": "AA=="}},
            {"label": "\ufffd", "p": [1.0, 0.0], "raw_bytes": {"b64": ""}},
        ]
    }


def test_an_answer_in_columns_has_whole_tensors():
    assert _write(OUTPUTS, rows=False) == {
        "outputs": {
            "label": ["Zürich", "\ufffd"],
            "p": [[0.2, 0.8], [1.0, 0.0]],
            "raw_bytes": [{"b64": "AA=="}, {"b64": ""}],
        }
    }


def test_a_single_output_is_not_named():
    counts = {"count": np.array([1, 2], np.int64)}
    assert _write(counts, rows=True) == {"predictions": [1, 2]}
    assert _write(counts, rows=False) == {"outputs": [1, 2]}


def test_floats_are_written_short_and_as_they_are():
    numbers = np.array([0.1, 1e-8, np.nan, -np.inf], np.float32)
    assert to_json({"x": numbers}, rows=False) == b'{"outputs": [0.1, 1e-08, NaN, -Infinity]}'


def test_outputs_without_a_common_batch_have_no_rows():
    with pytest.raises(Refusal) as refused:
        to_json({"a": np.zeros(2), "b": np.zeros(3)}, rows=True)
    assert str(refused.value) == (
        "The outputs have no common batch size, so ask for columns: {'a': (2,), 'b': (3,)}"
    )
