"""Weight files that users bring for keras: handles, and one clear error where none fits."""

import shutil

import pytest

from tests.trainer.backbones.applications import SIDE, get, refusal
from trainer.backbones.load import load
from trainer.backbones.store import entry


@pytest.mark.slow
def test_a_weight_file_may_be_given_relative_to_the_config_and_is_needed_once(tmp_path, small):
    shutil.copy(small[1], tmp_path / "mine.h5")
    config = {"weights": "mine.h5", "arguments": {"alpha": 0.35}, "size": SIDE}
    backbone = get(tmp_path, "MobileNetV2", **config)
    assert get(tmp_path, "MobileNetV2", **config) == backbone
    (tmp_path / "mine.h5").unlink()
    assert load(backbone) is not None


@pytest.mark.slow
def test_weights_of_the_newer_format_are_read(tmp_path, small):
    small[0].save_weights(tmp_path / "new.weights.h5")
    backbone = get(
        tmp_path, "MobileNetV2", weights="new.weights.h5", arguments={"alpha": 0.35}, size=SIDE
    )
    assert "no_top.weights.h5" in {
        path.name for path in entry(tmp_path / "store", backbone.digest).iterdir()
    }


def test_weights_of_another_width_are_one_clear_error(tmp_path, small):
    text = refusal(tmp_path, "MobileNetV2", weights=str(small[1]), size=SIDE)
    assert text.startswith(
        "The weight file does not fit MobileNetV2 without its top, arguments {}: "
    )
    assert text.endswith(f"\n  Received: {str(small[1])!r}")
    assert len(text.splitlines()) == 2
    assert not list((tmp_path / "store").iterdir())


def test_weights_of_another_model_are_one_clear_error(tmp_path, small):
    text = refusal(tmp_path, "VGG16", weights=str(small[1]), size=SIDE)
    assert text.startswith("The weight file does not fit VGG16 without its top, arguments {}: ")


@pytest.mark.parametrize("content", [b"", b"not hdf5"])
def test_a_file_that_is_no_hdf5_is_one_clear_error(tmp_path, content):
    (tmp_path / "bad.h5").write_bytes(content)
    text = refusal(tmp_path, "MobileNetV2", weights="bad.h5", size=SIDE)
    assert text.startswith("The weight file does not fit MobileNetV2 without its top")


def test_a_truncated_weight_file_is_one_clear_error(tmp_path, small):
    content = small[1].read_bytes()
    (tmp_path / "half.h5").write_bytes(content[: len(content) // 2])
    text = refusal(tmp_path, "MobileNetV2", weights="half.h5", arguments={"alpha": 0.35}, size=SIDE)
    assert text.startswith("The weight file does not fit MobileNetV2 without its top")


def test_a_missing_weight_file(tmp_path):
    assert refusal(tmp_path, "MobileNetV2", weights="none.h5") == (
        f"There is no such weight file: {tmp_path / 'none.h5'}\n"
        "  Received: 'none.h5'\n"
        "  Valid: imagenet, the path of a no-top weight file\n"
        f"  See: {tmp_path}"
    )


def test_a_weight_file_of_another_format(tmp_path):
    (tmp_path / "weights.pkl").touch()
    assert refusal(tmp_path, "MobileNetV2", weights="weights.pkl") == (
        "A weight file of Keras is HDF5.\n  Received: 'weights.pkl'\n  Valid: .h5, .hdf5"
    )
