"""A backbone at an address is copied to where it can be loaded from, once."""

import pytest

from preprocessing.errors import BackboneError
from preprocessing.inputs import ImageInput
from trainer.backbones.record import Backbone
from trainer.backbones.store import content_digest, files_below

FILES = {"saved_model.pb": b"graph", "variables/variables.index": b"weights"}


@pytest.fixture
def remote(monkeypatch, tmp_path):
    """A backbone in TensorFlow's in-memory file system, and a temporary folder of its own."""
    import tensorflow as tf

    address = f"ram://{tmp_path.name}/backbones/1"
    (tmp_path / "content").mkdir()
    for name, content in FILES.items():
        path = tmp_path / "content" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        tf.io.gfile.makedirs(f"{address}/{name}".rpartition("/")[0])
        with tf.io.gfile.GFile(f"{address}/{name}", "wb") as file:
            file.write(content)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    return Backbone(
        input=ImageInput(height=8, width=8, input_range=(0, 1)),
        feature_width=4,
        handle="hub:small",
        kind="hub",
        digest=content_digest(files_below(tmp_path / "content")),
        path=address,
    )


def test_a_backbone_at_an_address_is_copied_here_whole(remote, tmp_path):
    from pathlib import Path

    from trainer.backbones.fetch import bring_here

    here = bring_here(remote)
    assert Path(here.path).is_relative_to(tmp_path / "temporary")
    assert {name: path.read_bytes() for name, path in files_below(Path(here.path)).items()} == FILES
    assert here.digest == remote.digest


def test_it_is_copied_once(remote):
    import tensorflow as tf

    from trainer.backbones.fetch import bring_here

    here = bring_here(remote)
    tf.io.gfile.rmtree(remote.path)
    assert bring_here(remote) == here


def test_a_path_stays_as_it_is(remote, tmp_path):
    from trainer.backbones.fetch import bring_here

    local = remote.model_copy(update={"path": str(tmp_path / "content")})
    assert bring_here(local) == local


def test_nothing_at_the_address_says_what_puts_it_there(remote):
    from trainer.backbones.fetch import bring_here

    nowhere = remote.model_copy(update={"path": "ram://empty/backbones/2"})
    with pytest.raises(BackboneError) as caught:
        bring_here(nowhere)
    assert str(caught.value) == (
        "The backbone 'hub:small' is not where the pipeline was compiled to find it. "
        "`graft submit` puts it there before it starts a run\n"
        "  Received: 'ram://empty/backbones/2'\n"
        "  See: docs/deploy.md"
    )
