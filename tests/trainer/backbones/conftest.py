"""Tiny real models and a real server on the loopback interface."""

import http.server
import io
import subprocess
import sys
import tarfile
import threading
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.trainer.backbones.applications import SIDE, construct


class Answer(NamedTuple):
    status: int = 200
    body: bytes = b""
    headers: tuple = ()
    announced: int | None = None


class Server(http.server.ThreadingHTTPServer):
    """Answers from a table and remembers what it was asked."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = {}
        self.asked = []

    def url(self, path):
        return f"http://127.0.0.1:{self.server_port}{path}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # noqa: N802 - http.server calls it by this name
        self.server.asked.append(self.path)
        answer = self.server.answers.get(self.path.partition("?")[0], Answer(404))
        self.send_response(answer.status)
        length = len(answer.body) if answer.announced is None else answer.announced
        if length >= 0:
            self.send_header("Content-Length", str(length))
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    running = Server()
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()


@pytest.fixture
def answer():
    return Answer


def _tar(members, mode="w:gz"):
    """An archive of (name, content) pairs; a TarInfo in place of a name is taken as it is."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as tar:
        for name, content in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def tar():
    return _tar


@pytest.fixture
def tar_of():
    def pack(folder: Path, prefix=""):
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        return _tar(
            [
                (f"{prefix}{path.relative_to(folder).as_posix()}", path.read_bytes())
                for path in paths
            ]
        )

    return pack


@pytest.fixture(scope="session")
def save_model(tmp_path_factory):
    """Saves a tiny model: the mean colour times a fixed matrix."""
    import tensorflow as tf

    class Tiny(tf.Module):
        def __init__(self, shape, outputs, dtype):
            super().__init__()
            self.kernel = tf.Variable(tf.reshape(tf.range(12.0), [3, 4]))

            @tf.function(input_signature=[tf.TensorSpec(shape, dtype)])
            def function(x):
                pooled = tf.reduce_mean(tf.cast(x, tf.float32), axis=[1, 2])
                return outputs(tf.matmul(pooled, self.kernel))

            self.function = function

    def save(shape=(None, 8, 8, 3), outputs=lambda y: y, dtype=tf.float32, own_call=True):
        module = Tiny(shape, outputs, dtype)
        root = tf.Module()
        root.inner = module
        if own_call:
            root.__call__ = module.function
        folder = tmp_path_factory.mktemp("model") / "tiny"
        named = {"serving_default": module.function} if not own_call else None
        tf.saved_model.save(root, str(folder), signatures=named)
        return folder

    return save


@pytest.fixture(scope="session")
def tiny(save_model):
    """[?, 8, 8, 3] -> [?, 4]; the picture of ones gives 12, 15, 18, 21."""
    return save_model()


@pytest.fixture
def export_and_compare(tmp_path):
    """Exports a loaded backbone as a part of a model and calls it in a fresh process."""
    import numpy as np
    import tensorflow as tf

    def check(module, size, top):
        class Whole(tf.Module):
            def __init__(self):
                super().__init__()
                self.backbone = module

            @tf.function(input_signature=[tf.TensorSpec([None, size, size, 3], tf.float32)])
            def serve(self, images):
                return {"features": self.backbone(images)}

        whole = Whole()
        images = np.random.default_rng(0).uniform(0, top, [2, size, size, 3]).astype(np.float32)
        tf.saved_model.save(whole, str(tmp_path / "export"), signatures=whole.serve)
        np.save(tmp_path / "images.npy", images)
        np.save(tmp_path / "features.npy", module(images))
        code = (
            "import sys, numpy as np, tensorflow as tf\n"
            "folder = sys.argv[1]\n"
            "model = tf.saved_model.load(folder + '/export')\n"
            "signature = model.signatures['serving_default']\n"
            "out = signature(images=tf.constant(np.load(folder + '/images.npy')))['features']\n"
            "np.testing.assert_allclose(out, np.load(folder + '/features.npy'), rtol=1e-5)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    return check


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """MobileNetV2 of the smallest width with random weights, and their file."""
    model = construct("MobileNetV2", SIDE, alpha=0.35)
    file = tmp_path_factory.mktemp("weights") / "small.h5"
    model.save_weights(file)
    return model, file
