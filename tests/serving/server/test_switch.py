"""Under load, a push and a rollback: no request fails, and no answer is wrong."""

import base64
import threading
import time

import grpc
import httpx
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from components.pusher.load_check import Loaded
from components.pusher.publish import Delivery, publish
from components.pusher.rollback import rollback

CLIENTS = 8
# The second one says blue to red pictures.
SHARPNESS = {"first": 0.1, "second": -0.2}


def _push(folder, path):
    # Loading it in yet another process first is what test_publish.py is about.
    return publish(Delivery(str(folder)), str(path), 5, lambda _: Loaded(0, 0.0)).version


class Asker(threading.Thread):
    """Asks without pause until told to stop; keeps every answer and every failure."""

    def __init__(self, ask):
        super().__init__()
        self.ask, self.ended = ask, threading.Event()
        self.answers, self.failures = [], []

    def run(self):
        while not self.ended.is_set():
            try:
                self.answers.append(self.ask())
            except Exception as error:
                self.failures.append(repr(error))


def _rpc(server, red):
    options = [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)]
    stub = prediction_service_pb2_grpc.PredictionServiceStub(
        grpc.insecure_channel(server.address, options)
    )
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "colours"
    request.inputs["image"].CopyFrom(tf.make_tensor_proto([red]))

    def ask():
        answer = stub.Predict(request, timeout=60)
        return answer.model_spec.version.value, answer.outputs["probabilities"].float_val[0]

    return ask


def _rest(server, red):
    client = httpx.Client(trust_env=False, timeout=60)
    body = {"instances": [{"b64": base64.b64encode(red).decode()}]}

    def ask():
        answer = client.post(f"{server.url}:predict", json=body)
        answer.raise_for_status()
        return None, answer.json()["predictions"][0]["probabilities"][0]

    return ask


def _wait(askers, count):
    """Waits until each has so many more answers."""
    goal = [len(one.answers) + count for one in askers]
    until = time.monotonic() + 240
    while any(len(one.answers) < wanted for one, wanted in zip(askers, goal, strict=True)):
        assert time.monotonic() < until
        time.sleep(0.05)


def _probability(folder, red):
    """What the model says when it is called in this process."""
    model = tf.saved_model.load(str(folder))
    return float(
        model.signatures["serving_default"](image=tf.constant([red]))["probabilities"][0, 0]
    )


def _phases(asker, expected):
    """Which model answered, in order, without repetition; a wrong answer stands for itself."""
    names = [
        next((name for name, p in expected.items() if abs(p - found) < 1e-6), found)
        for _, found in asker.answers
    ]
    return [name for at, name in enumerate(names) if at == 0 or names[at - 1] != name]


@pytest.mark.slow
def test_a_push_and_a_rollback_under_load_drop_nothing(
    start_server, export_colours, picture, tmp_path
):
    for name, sharpness in SHARPNESS.items():
        export_colours(tmp_path / name, sharpness)
    path = tmp_path / "colours"
    models = {_push(tmp_path / "first", path): "first"}
    server = start_server(path, "--poll-seconds", "0.1")
    red = picture([255, 0, 0])
    expected = {name: _probability(tmp_path / name, red) for name in SHARPNESS}
    askers = [Asker(make(server, red)) for make in (_rpc, _rest) for _ in range(CLIENTS // 2)]
    for asker in askers:
        asker.start()
    _wait(askers, 100)
    models[_push(tmp_path / "second", path)] = "second"
    server.wait_for("instead of")
    _wait(askers, 200)
    back = rollback(str(path), check=lambda _: Loaded(0, 0.0)).version
    models[back] = "first"
    server.wait_for("instead of")
    _wait(askers, 200)
    for asker in askers:
        asker.ended.set()
    for asker in askers:
        asker.join()

    assert [asker.failures for asker in askers] == [[]] * CLIENTS
    assert sum(len(asker.answers) for asker in askers) >= 4000
    assert [_phases(asker, expected) for asker in askers] == [
        ["first", "second", "first"]
    ] * CLIENTS
    # gRPC says which version answered: it was that one's answer.
    for version, found in askers[0].answers:
        assert found == pytest.approx(expected[models[version]], abs=1e-6)
    assert server.stop() == 0
    assert len(models) == 3
