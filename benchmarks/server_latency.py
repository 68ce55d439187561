"""What the local server adds to a call of the model, at batch 1, and what that is made of.

Calls of the SavedModel in this process, gRPC and REST take turns, so that
whatever else the machine does meets all three. From the repository's root:

    TF_USE_LEGACY_KERAS=1 python benchmarks/server_latency.py SERVING PICTURE

SERVING is a folder of versions of a model with one picture, such as
graft-demo/serving/digits, and PICTURE a file. A further stage is one more
entry in `time_stages`.
"""

import argparse
import base64
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import httpx
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving.server.limits import Limits
from serving.server.model import Model, load_model
from serving.server.pictures import check_pictures
from serving.server.rows import parse_request, to_arrays, to_json
from serving.server.tensors import from_proto, to_proto

_START = "import sys; sys.argv[0] = 'graft'; from pipeline.cli import main; sys.exit(main())"


def main() -> None:
    """Prints two tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("serving", type=Path, help="folder of versions")
    parser.add_argument("picture", type=Path)
    parser.add_argument("--rounds", type=int, default=500)
    arguments = parser.parse_args()
    newest = max((one for one in arguments.serving.iterdir() if one.name.isdecimal()), key=_number)
    model, picture = load_model(newest), arguments.picture.read_bytes()
    with _serving(arguments.serving) as (url, address):
        calls = make_calls(model, picture, url, address)
        seconds = take_turns(calls, arguments.rounds)
    lines = [f"{len(picture)} bytes, {arguments.rounds} rounds", ""]
    lines += ["| call | median | 95 % | median more than in-process |", "|---|---|---|---|"]
    base = statistics.median(seconds["in-process"])
    for name, times in seconds.items():
        median, late = statistics.median(times), sorted(times)[int(0.95 * len(times))]
        lines.append(f"| {name} | {_ms(median)} | {_ms(late)} | {_ms(median - base)} |")
    lines += ["", "| stage in the server | median |", "|---|---|"]
    for name, times in take_turns(time_stages(model, picture), arguments.rounds).items():
        lines.append(f"| {name} | {_ms(statistics.median(times))} |")
    sys.stdout.write("\n".join(lines) + "\n")


def make_calls(
    model: Model, picture: bytes, url: str, address: str
) -> dict[str, Callable[[], object]]:
    """Makes the same question in each way; the answers are numpy or messages."""
    (feature,) = model.pictures or list(model.signature("").inputs)
    bare = model._functions["serving_default"]  # noqa: SLF001
    channel = grpc.insecure_channel(address, [("grpc.enable_http_proxy", 0)])
    predictions = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    models = model_service_pb2_grpc.ModelServiceStub(channel)
    request = _request(feature, picture)
    request.model_spec.name = url.rsplit("/", 1)[1]
    status = get_model_status_pb2.GetModelStatusRequest(model_spec=request.model_spec)
    client = httpx.Client(trust_env=False, timeout=60)
    body = _body(feature, picture)
    return {
        "in-process": lambda: [
            one.numpy() for one in bare(**{feature: tf.constant([picture])}).values()
        ],
        "gRPC": lambda: predictions.Predict(request),
        "REST": lambda: client.post(f"{url}:predict", content=body).raise_for_status(),
        "gRPC, status only": lambda: models.GetModelStatus(status),
        "REST, status only": lambda: client.get(url).raise_for_status(),
    }


def time_stages(model: Model, picture: bytes) -> dict[str, Callable[[], object]]:
    """Makes the parts of an answer, each on its own."""
    (feature,) = model.pictures or list(model.signature("").inputs)
    wanted = model.signature("").inputs
    message = _request(feature, picture).SerializeToString()
    tensor = predict_pb2.PredictRequest.FromString(message).inputs[feature]
    arrays = {feature: from_proto(feature, tensor, wanted[feature])}
    outputs = model.run("", arrays)
    body = _body(feature, picture)
    pixels = Limits().max_pixels
    return {
        "gRPC: message to array": lambda: from_proto(
            feature,
            predict_pb2.PredictRequest.FromString(message).inputs[feature],
            wanted[feature],
        ),
        "REST: JSON to array": lambda: to_arrays(parse_request(body), wanted, 1),
        "pictures are measured": lambda: check_pictures(arrays, [feature], pixels),
        "the model, from array to arrays": lambda: model.run("", arrays),
        "gRPC: arrays to message": lambda: predict_pb2.PredictResponse(
            outputs={name: to_proto(one) for name, one in outputs.items()}
        ).SerializeToString(),
        "REST: arrays to JSON": lambda: to_json(outputs, rows=True),
    }


def take_turns(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Times each call once a round, after a tenth as many rounds that do not count."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for at in range(-(rounds // 10), rounds):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            if at >= 0:
                seconds[name].append(time.perf_counter() - began)
    return seconds


@contextmanager
def _serving(path: Path) -> Iterator[tuple[str, str]]:
    """Runs `graft serve`; gives its URL and its gRPC address."""
    command = [sys.executable, "-c", _START, "serve", str(path), "--engine", "local"]
    ports = ["--rest-port", "0", "--grpc-port", "0"]
    with subprocess.Popen([*command, *ports], stdout=subprocess.PIPE, text=True) as process:
        said: dict[str, str] = {}
        for line in process.stdout or ():
            word, _, rest = line.strip().partition(" ")
            said[word] = rest.strip()
            if word.startswith("Ready"):
                break
        try:
            yield said["REST"], said["gRPC"]
        finally:
            process.terminate()


def _request(feature: str, picture: bytes) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.inputs[feature].CopyFrom(tf.make_tensor_proto([picture]))
    return request


def _body(feature: str, picture: bytes) -> bytes:
    return json.dumps(
        {"instances": [{feature: {"b64": base64.b64encode(picture).decode()}}]}
    ).encode()


def _number(version: Path) -> int:
    return int(version.name)


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.2f} ms"


if __name__ == "__main__":
    main()
