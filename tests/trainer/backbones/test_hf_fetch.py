"""Model ids are fetched from a hub's API on the loopback interface, whole or not at all."""

import hashlib
import http.server
import json
import shutil
import threading

import pytest
import tensorflow as tf

from preprocessing.config import BackboneConfig
from preprocessing.errors import BackboneError
from trainer.backbones.load import load
from trainer.backbones.vendor import vendor

SHA = "0123456789abcdef0123456789abcdef01234567"
ADVICE = (
    "  See: download the model's files elsewhere and write `hf:PATH` of their folder, or pin "
    "`digest:` and bring the store of a machine that has it; once vendored, no run needs the "
    "network"
)


class Hub(http.server.ThreadingHTTPServer):
    """Serves one repository as the HuggingFace hub does, and remembers what it was asked."""

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), HubHandler)
        self.files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }
        self.announced = {
            name: hashlib.sha256(body).hexdigest() for name, body in self.files.items()
        }
        self.refusal = None
        self.asked, self.tokens = [], set()
        self.endpoint = f"http://127.0.0.1:{self.server_port}"


class HubHandler(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self):  # noqa: N802 - http.server calls it by this name
        self.do_GET()

    def do_GET(self):  # noqa: N802
        path = self.path.partition("?")[0]
        self.server.asked.append(f"{self.command} {path}")
        self.server.tokens.add(self.headers.get("Authorization"))
        if self.server.refusal:
            status, code = self.server.refusal
            return self._send(status, b"", {"X-Error-Code": code})
        if path.startswith("/api/models/org/tiny"):
            return self._send(200, json.dumps(self._info()).encode(), {})
        name = path.removeprefix(f"/org/tiny/resolve/{SHA}/")
        body = self.server.files.get(name)
        if body is None:
            return self._send(404, b"", {"X-Error-Code": "RepoNotFound"})
        digest = self.server.announced[name]
        return self._send(200, body, {"ETag": f'"{digest}"', "X-Repo-Commit": SHA})

    def _info(self):
        siblings = [
            {"rfilename": name, "size": len(body), "lfs": self._lfs(name, body)}
            for name, body in self.server.files.items()
        ]
        return {"id": "org/tiny", "sha": SHA, "siblings": siblings}

    def _lfs(self, name, body):
        if not name.endswith(".safetensors"):
            return None
        return {"sha256": self.server.announced[name], "size": len(body), "pointerSize": 1}

    def _send(self, status, body, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def hub(bert, tmp_path, monkeypatch):
    folder = tmp_path / "repository"
    shutil.copytree(bert, folder)
    (folder / "pytorch_model.bin").write_bytes(b"never fetched")
    (folder / "README.md").write_text("never fetched")
    running = Hub(folder)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    yield running
    running.shutdown()
    running.server_close()


def get(tmp_path, handle="hf:org/tiny", **config):
    return vendor(BackboneConfig(handle=handle, **config), tmp_path / "store", tmp_path)


def refusal(tmp_path, *args, **config):
    with pytest.raises(BackboneError) as caught:
        get(tmp_path, *args, **config)
    assert not (tmp_path / "store").exists() or not list((tmp_path / "store").iterdir())
    return str(caught.value)


def test_an_id_is_asked_once_and_gives_what_its_folder_gives(tmp_path, hub, bert, capsys):
    first = get(tmp_path)
    fetched = {one.rpartition("/")[2] for one in hub.asked if "/resolve/" in one}
    assert fetched == {
        "config.json",
        "model.safetensors",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
    }
    assert hub.tokens == {"Bearer hf_secret"}
    hub.files.clear()
    asked = len(hub.asked)
    assert get(tmp_path) == first
    assert len(hub.asked) == asked
    assert first.digest == get(tmp_path, f"hf:{bert}").digest
    assert load(first)(tf.constant(["the cat"])).shape == (1, 16)
    assert not (tmp_path / "home").exists()
    assert capsys.readouterr().out == ""


def test_a_revision_is_asked_for(tmp_path, hub):
    get(tmp_path, "hf:org/tiny@v1.0")
    assert hub.asked[0] == "GET /api/models/org/tiny/revision/v1.0"


def test_a_folder_of_that_name_goes_first(tmp_path, hub, bert):
    shutil.copytree(bert, tmp_path / "org" / "tiny")
    assert get(tmp_path).feature_width == 16
    assert hub.asked == []


def test_a_pinned_id_needs_no_hub_where_the_store_has_its_content(tmp_path, hub, bert):
    digest = get(tmp_path, f"hf:{bert}").digest
    assert get(tmp_path, digest=digest).digest == digest
    assert hub.asked == []


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (404, "RevisionNotFound", "it knows no such revision"),
        (403, "GatedRepo", "it wants a licence to be accepted, and HF_TOKEN"),
        (401, "RepoNotFound", None),
    ],
)
def test_a_refusal_is_one_clear_error(tmp_path, hub, status, code, reason):
    hub.refusal = (status, code)
    absent = (
        "it knows no such model, or only with another HF_TOKEN; "
        f"there is no folder {tmp_path / 'org/tiny'} either"
    )
    assert refusal(tmp_path) == (
        f"The hub refuses: {reason or absent}.\n  Received: 'hf:org/tiny'\n{ADVICE}"
    )


def test_no_network_is_one_clear_error(tmp_path, hub):
    hub.shutdown()
    hub.server_close()
    text = refusal(tmp_path)
    assert text.startswith(
        f"The model cannot be fetched, nor is there a folder {tmp_path / 'org/tiny'}: "
    )
    assert text.endswith(f"\n  Received: 'hf:org/tiny'\n{ADVICE}")
    assert len(text.splitlines()) == 3


def test_other_content_than_the_hub_announced_is_never_kept(tmp_path, hub):
    hub.announced["model.safetensors"] = "0" * 64
    assert refusal(tmp_path) == (
        "model.safetensors is not what the hub announced; run again.\n  Received: 'hf:org/tiny'"
    )


def test_pickles_alone_are_never_fetched(tmp_path, hub):
    del hub.files["model.safetensors"]
    assert refusal(tmp_path) == (
        "The model has no weights as model.safetensors or tf_model.h5, only pytorch_model.bin, "
        "which may run code when read; convert them first.\n"
        "  Received: 'hf:org/tiny'"
    )
    assert not [one for one in hub.asked if "/resolve/" in one]


def test_a_repository_of_something_else(tmp_path, hub):
    hub.files = {"README.md": b"", "data.csv": b""}
    assert refusal(tmp_path) == (
        "This is no HuggingFace model: it has no config.json. It holds: README.md, data.csv.\n"
        "  Received: 'hf:org/tiny'"
    )


def test_a_model_with_code_of_its_own_is_refused(tmp_path, hub):
    own = {"model_type": "own_bert", "auto_map": {"TFAutoModel": "modeling_own.TFOwn"}}
    hub.files["config.json"] = json.dumps(own).encode()
    hub.announced["config.json"] = "changed"
    text = refusal(tmp_path)
    assert text.startswith(
        "The model brings its own code (auto_map in config.json), which is never run. "
        "Model: hf:org/tiny.\n  Received: 'own_bert'\n  Valid: albert, "
    )


def test_weights_that_lack_variables_are_refused(tmp_path, bert, save_bert):
    folder = tmp_path / "deeper"
    shutil.copytree(bert, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    text = refusal(tmp_path, f"hf:{folder}")
    assert text.startswith("The weights lack 16 variables of the model: bert/encoder/layer_._2/att")
    assert text.endswith(f"\n  Received: 'hf:{folder}'")


def test_a_truncated_weight_file_is_one_clear_error(tmp_path, bert):
    folder = tmp_path / "half"
    shutil.copytree(bert, folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    text = refusal(tmp_path, f"hf:{folder}")
    assert text.startswith("transformers cannot load the model: ")
    assert text.endswith(f"\n  Received: 'hf:{folder}'")
    assert len(text.splitlines()) == 2


def test_a_folder_that_is_not_there(tmp_path, hub):
    assert refusal(tmp_path, "hf:./none") == (
        f"There is no such folder: {tmp_path / 'none'}\n  Received: './none'\n  See: {tmp_path}"
    )
