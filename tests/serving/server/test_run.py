"""The server as a process: it starts, is bounded, and ends in order."""

import base64
import concurrent.futures
import shutil
import signal
import subprocess
import sys
import time

import grpc
import httpx
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from preprocessing.errors import DataError
from serving.server.limits import Limits
from serving.server.run import Address, run_server
from tests.serving.conftest import ROOT, START

pytestmark = pytest.mark.slow


def _body(*pictures):
    return {"instances": [{"b64": base64.b64encode(one).decode()} for one in pictures]}


def _request(*pictures):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "colours"
    request.inputs["image"].CopyFrom(tf.make_tensor_proto(list(pictures)))
    return request


def _refused(server, request):
    with pytest.raises(grpc.RpcError) as refused:
        server.predictions.Predict(request, timeout=60)
    return refused.value.code().name, refused.value.details()


@pytest.fixture(scope="module")
def bounded(colours, start_server):
    """A server that takes little."""
    options = ("--max-bytes", "20000", "--max-batch", "4", "--max-pixels", "100000")
    return start_server(colours, *options, "--max-queue", "1", "--parallel", "1")


def test_it_says_what_serves_and_where(bounded):
    assert bounded.said[0].startswith("Serving /")
    assert bounded.said[0].endswith("/colours as colours")
    assert bounded.said[1] == "  Engine  local: asked for"
    assert any(line.endswith("version 7 serves") for line in bounded.said)
    assert bounded.url.startswith("http://127.0.0.1:")
    assert bounded.said[-1] == "Ready; Ctrl-C ends it"


def test_a_request_that_is_too_large_is_refused_in_both_protocols(bounded, picture):
    red = picture([255, 0, 0])
    for size in (20_001, 100_000, 150_000):
        answer = bounded.post(b"x" * size)
        assert (answer.status_code, answer.json()) == (
            413,
            {"error": "The request has more than 20000 bytes"},
        )
    code, error = _refused(bounded, _request(b"x" * 30_000))
    assert code == "RESOURCE_EXHAUSTED"
    assert "larger than max (300" in error
    assert bounded.post(_body(red)).status_code == 200


def test_too_many_examples_or_pixels_are_refused(bounded, picture):
    red, large = picture([255, 0, 0]), picture([255, 0, 0], (400, 400))
    batch = "image: the request has 5 examples, more than 4"
    assert bounded.post(_body(*[red] * 5)).json() == {"error": f"instances.{batch}"}
    assert _refused(bounded, _request(*[red] * 5)) == ("INVALID_ARGUMENT", batch)
    pixels = "image[0]: PNG: 400x400 are more than 100000 pixels"
    assert bounded.post(_body(large)).json() == {"error": pixels}
    assert _refused(bounded, _request(large)) == ("INVALID_ARGUMENT", pixels)


def test_more_than_may_wait_are_turned_away_and_served_later(bounded, picture):
    red = picture([255, 0, 0])

    def post(_):
        with httpx.Client(trust_env=False, timeout=60) as client:
            return [client.post(f"{bounded.url}:predict", json=_body(red)) for _ in range(40)]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = [one for many in pool.map(post, range(8)) for one in many]
    codes = {one.status_code for one in answers}
    assert codes == {200, 429}
    busy = next(one for one in answers if one.status_code == 429).json()["error"]
    assert busy == "The server is busy: 1 requests run and 1 wait; try again later"
    calls = [bounded.predictions.Predict.future(_request(red), timeout=60) for _ in range(64)]
    codes = {call.code().name for call in calls}
    assert codes == {"OK", "RESOURCE_EXHAUSTED"}
    assert bounded.post(_body(red)).status_code == 200


def test_a_body_that_does_not_come_does_not_keep_a_place_for_ever(colours, start_server, picture):
    server = start_server(colours, "--max-seconds", "2")

    def trickle():
        yield b'{"instances": ['
        time.sleep(3)
        yield b"]}"

    answer = server.http.post(f"{server.url}:predict", content=trickle())
    assert (answer.status_code, answer.json()) == (
        504,
        {"error": "The request could not be answered before its deadline"},
    )
    red = _body(picture([255, 0, 0]))
    assert any(server.post(red).status_code == 200 for _ in range(5))
    assert server.stop() == 0


def test_what_runs_is_finished_when_the_server_is_asked_to_end(colours, start_server, picture):
    server = start_server(colours)
    many = _body(*[picture([255, 0, 0], (1500, 1500))] * 40)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(server.post, many)
        time.sleep(0.5)
        server.process.send_signal(signal.SIGINT)
        assert answer.result().status_code == 200
    assert server.process.wait(60) == 130
    assert server.said[-1] == "graft: stopped"


def test_a_version_that_cannot_be_loaded_is_told_and_the_old_one_serves(
    colours, start_server, picture, tmp_path
):
    path = tmp_path / "colours"
    shutil.copytree(colours, path)
    server = start_server(path, "--poll-seconds", "0.1")
    (path / ".staging-8").mkdir()
    (path / ".staging-8" / "saved_model.pb").write_bytes(b"")
    (path / ".staging-8").rename(path / "8")
    server.wait_for("version 8 cannot be loaded; version 7 keeps serving")
    assert server.post(_body(picture([255, 0, 0]))).status_code == 200
    states = server.http.get(server.url).json()["model_version_status"]
    assert [(one["version"], one["state"]) for one in states] == [("8", "END"), ("7", "AVAILABLE")]
    assert states[0]["status"] == {
        "error_code": "UNKNOWN",
        "error_message": "LoadError: saved_model.pb holds no model with the tag `serve`",
    }
    assert server.stop() == 0


def _serve(*arguments):
    done = subprocess.run(
        [sys.executable, "-c", START, "serve", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stderr


def test_a_port_that_is_taken_is_a_mistake_in_either_protocol(colours, server):
    taken = {"--rest-port": server.url.split(":")[2].split("/")[0]}
    taken["--grpc-port"] = server.address.split(":")[1]
    for option, port in taken.items():
        other = "--grpc-port" if option == "--rest-port" else "--rest-port"
        code, said = _serve(colours, "--engine", "local", option, port, other, "0")
        assert code == 2
        assert said == (
            "graft: The server cannot listen there: the port is taken, or the address is not "
            f"this machine's\n  Received: '127.0.0.1:{port}'\n"
        )


def test_a_folder_where_nothing_can_be_loaded_is_a_mistake(tmp_path):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"")
    told = []
    with pytest.raises(DataError) as failed:
        run_server(
            tmp_path, "m", Address("127.0.0.1", 0, 0), Limits(), 1.0, told.append, told.append
        )
    assert str(failed.value) == f"No version in the folder can be loaded\n  Received: '{tmp_path}'"
    assert told == [
        "version 1 cannot be loaded; trying an older one",
        "  LoadError: saved_model.pb holds no model with the tag `serve`",
    ]


@pytest.mark.slow
def test_a_broken_newest_version_keeps_no_server_from_starting(colours, start_server, tmp_path):
    good = next(one for one in sorted(colours.iterdir()) if one.name.isdecimal())
    shutil.copytree(good, tmp_path / "1")
    (tmp_path / "2").mkdir()
    (tmp_path / "2" / "saved_model.pb").write_bytes(b"")
    server = start_server(tmp_path)
    assert httpx.get(f"{server.url}").json()["model_version_status"][1]["state"] == "AVAILABLE"
