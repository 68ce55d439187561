"""The imagenet weights of keras: handles, from a server on the loopback."""

import hashlib
import os
import shutil

import numpy as np
import pytest
import tensorflow as tf

from tests.trainer.backbones.applications import SIDE, construct, get, refusal
from trainer.backbones.load import load
from trainer.backbones.store import entry


@pytest.fixture
def imagenet(server, monkeypatch):
    """Has Keras look for its weights on the loopback server."""
    from tf_keras.src.applications import mobilenet_v2

    monkeypatch.setattr(mobilenet_v2, "BASE_WEIGHT_PATH", server.url("/"))
    return server


FILE = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_96_no_top.h5"
IMAGENET = {"arguments": {"alpha": 0.35}, "size": 96}


@pytest.mark.slow
def test_imagenet_weights_are_downloaded_once_into_the_store_and_nowhere_else(
    tmp_path, imagenet, answer, small, monkeypatch, capsys
):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    imagenet.answers[f"/{FILE}"] = answer(body=small[1].read_bytes())
    backbone = get(tmp_path, "MobileNetV2", **IMAGENET)
    imagenet.answers.clear()
    assert get(tmp_path, "MobileNetV2", **IMAGENET) == backbone
    images = tf.random.uniform([1, 96, 96, 3], maxval=255.0)
    expected = construct("MobileNetV2", 96, alpha=0.35)
    expected.set_weights(small[0].get_weights())
    np.testing.assert_allclose(
        load(backbone)(images),
        expected(images / 127.5 - 1.0, training=False),
        rtol=1e-4,
        atol=1e-5,
    )
    assert imagenet.asked == [f"/{FILE}"]
    assert list(home.iterdir()) == []
    assert os.environ["HOME"] == str(home)
    assert capsys.readouterr().out == ""
    folder = entry(tmp_path / "store", backbone.digest)
    assert sorted(path.name for path in folder.iterdir()) == ["application.json", FILE]
    pinned = {**IMAGENET, "weights": "imagenet", "digest": backbone.digest}
    assert get(tmp_path, "MobileNetV2", **pinned) == backbone


def test_imagenet_weights_without_network_are_one_clear_error(tmp_path, imagenet):
    url = imagenet.url(f"/{FILE}")
    assert refusal(tmp_path, "MobileNetV2", **IMAGENET) == (
        f"The imagenet weights cannot be downloaded: URL fetch failure on {url}: 404 -- Not Found\n"
        "  Received: 'keras:MobileNetV2'\n"
        "  See: download the weight file elsewhere and name it with `weights: PATH`, or run once "
        "where there is a network; later runs need none"
    )
    assert not list((tmp_path / "store").iterdir())


def test_a_download_that_breaks_off_leaves_nothing(tmp_path, imagenet, answer, small):
    content = small[1].read_bytes()
    imagenet.answers[f"/{FILE}"] = answer(body=content[:1000], announced=len(content))
    text = refusal(tmp_path, "MobileNetV2", **IMAGENET)
    assert text.startswith("The imagenet weights cannot be downloaded: ")
    assert not list((tmp_path / "store").iterdir())


@pytest.mark.slow
def test_keras_own_efficientnet_file_brought_by_the_user_computes_what_imagenet_would(
    tmp_path, monkeypatch
):
    from tf_keras.src.applications import efficientnet

    construct("EfficientNetB0", SIDE).save_weights(tmp_path / "published.h5")
    md5 = hashlib.md5((tmp_path / "published.h5").read_bytes()).hexdigest()
    monkeypatch.setitem(efficientnet.WEIGHTS_HASHES, "b0", ("", md5))
    backbone = get(tmp_path, "EfficientNetB0", weights="published.h5", size=SIDE)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    cache = tmp_path / "home" / ".keras" / "models"
    cache.mkdir(parents=True)
    shutil.copy(tmp_path / "published.h5", cache / "efficientnetb0_notop.h5")
    images = tf.random.uniform([1, SIDE, SIDE, 3], maxval=255.0)
    expected = construct("EfficientNetB0", SIDE, weights="imagenet")(images, training=False)
    np.testing.assert_allclose(load(backbone)(images), expected, rtol=1e-4, atol=1e-5)
