"""A version is loaded as TF Serving loads it, and what is wrong with it is said."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from serving.server.model import LoadError, load_model
from serving.server.refusal import Refusal

WARMUP = "assets.extra/tf_serving_warmup_requests"


class Halve(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, name="x")])
    def __call__(self, x):
        positive = tf.debugging.assert_non_negative(x, "x must not be negative")
        with tf.control_dependencies([positive]):
            return {"half": x // 2, "rest": x % 2}


@pytest.fixture
def halve(tmp_path):
    """Saves a model that Graft did not export."""
    module = Halve()
    tf.saved_model.save(module, str(tmp_path / "1"), signatures=module.__call__)
    return tmp_path / "1"


def _write_warmup(folder, values):
    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.inputs["x"].CopyFrom(tf.make_tensor_proto(values))
    (folder / "assets.extra").mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(folder / WARMUP)) as writer:
        writer.write(log.SerializeToString())


def test_any_saved_model_is_served_with_what_it_says_of_itself(halve):
    model = load_model(halve)
    assert model.run("", {"x": np.array([5, 4], np.int32)})["half"].tolist() == [2, 2]
    assert list(model.run("serving_default", {"x": np.array([5], np.int32)}, ["rest"])) == ["rest"]
    assert (model.info, model.pictures) == (None, [])


def test_tensorflows_refusal_keeps_its_code_and_reason(halve):
    with pytest.raises(Refusal) as refused:
        load_model(halve).run("", {"x": np.array([-1], np.int32)})
    assert (refused.value.code.name, refused.value.http) == ("INVALID_ARGUMENT", 400)
    assert "x must not be negative" in str(refused.value)
    assert "node" not in str(refused.value)


def test_a_model_of_graft_says_which_inputs_are_pictures(colours_model):
    assert load_model(colours_model).pictures == ["image"]


def test_warm_up_requests_are_answered_before_it_serves(halve):
    _write_warmup(halve, np.array([4], np.int32))
    load_model(halve)
    _write_warmup(halve, np.array([-4], np.int32))
    with pytest.raises(LoadError) as failed:
        load_model(halve)
    assert "x must not be negative" in str(failed.value)


def test_what_is_no_model_is_refused_with_the_reason(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"\xff\xff")
    with pytest.raises(LoadError) as failed:
        load_model(tmp_path)
    assert str(failed.value).startswith("saved_model.pb cannot be understood: ")
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(LoadError) as failed:
        load_model(tmp_path)
    assert str(failed.value) == "saved_model.pb holds no model with the tag `serve`"


def test_a_model_without_its_variables_is_refused(halve, colours_model, tmp_path):
    (tmp_path / "2").mkdir()
    (tmp_path / "2" / "saved_model.pb").write_bytes((colours_model / "saved_model.pb").read_bytes())
    with pytest.raises(LoadError):
        load_model(tmp_path / "2")
