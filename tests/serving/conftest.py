"""A real `graft serve` in a process of its own, and what it serves."""

import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import grpc
import httpx
import pytest
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

ROOT = Path(__file__).parents[2]
START = "import sys; sys.argv[0] = 'graft'; from pipeline.cli import main; sys.exit(main())"


class Server:
    """A running server.

    Attributes:
        said: What it wrote so far.
        url: Of its model, over REST.
        address: Host and port, over gRPC.
        predictions: gRPC's PredictionService.
        models: gRPC's ModelService.
    """

    def __init__(self, path, *options):
        command = [sys.executable, "-c", START, "serve", str(path), "--engine", "local"]
        ports = ["--rest-port", "0", "--grpc-port", "0"]
        self.process = subprocess.Popen(
            [*command, *ports, *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = []
        self._lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.wait_for("Ready")
        self.url = self._find(r"REST +(\S+)")
        self.address = self._find(r"gRPC +(\S+)")
        unlimited = [("grpc.max_send_message_length", -1), ("grpc.enable_http_proxy", 0)]
        self._channel = grpc.insecure_channel(self.address, unlimited)
        self.predictions = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self.models = model_service_pb2_grpc.ModelServiceStub(self._channel)
        self.http = httpx.Client(trust_env=False, timeout=60)

    def _read(self):
        for line in self.process.stdout:
            self.said.append(line.rstrip())
            self._lines.put(line)
        self._lines.put(None)

    def wait_for(self, text, seconds=120):
        """Waits until the server writes a line with this text."""
        while (line := self._lines.get(timeout=seconds)) is not None:
            if text in line:
                return
        raise AssertionError(f"the server ended without {text!r}: {self.said}")

    def _find(self, pattern):
        return next(found[1] for line in self.said if (found := re.search(pattern, line)))

    def post(self, body, path=":predict", **options):
        """Sends a body, or JSON, to the model."""
        if isinstance(body, bytes):
            return self.http.post(self.url + path, content=body, **options)
        return self.http.post(self.url + path, json=body, **options)

    def stop(self, number=signal.SIGTERM):
        """Ends the process; gives its exit code."""
        self._channel.close()
        self.http.close()
        self.process.send_signal(number)
        return self.process.wait(60)


@pytest.fixture(scope="session")
def start_server():
    """Starts a server for a folder of versions, with any options."""
    started = []

    def start(path, *options):
        started.append(Server(path, *options))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.stop(signal.SIGKILL)


@pytest.fixture(scope="session")
def colours(colours_model, tmp_path_factory):
    """A folder of versions, `colours`, with the red and blue model as version 7."""
    folder = tmp_path_factory.mktemp("serving") / "colours"
    shutil.copytree(colours_model, folder / "7")
    return folder


@pytest.fixture(scope="session")
def server(colours, start_server):
    """A server of it, with usual limits; leave its folder as it is."""
    return start_server(colours)
