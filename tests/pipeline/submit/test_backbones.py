"""Backbones reach the place where tasks read them."""

import pytest

from pipeline.kubeflow.submit_file import Copy
from pipeline.submit.backbones import copy_backbones
from preprocessing.errors import UsageError

pytestmark = pytest.mark.slow  # imports TensorFlow


@pytest.fixture
def backbone(tmp_path):
    folder = tmp_path / "here" / "mobilenet"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "data").write_bytes(b"weights")
    return folder


def test_a_folder_is_copied_whole_and_only_once(backbone, tmp_path):
    there = tmp_path / "there"
    copy = Copy(source=str(backbone), target=f"{there}/", digest="sha256:0")
    copy_backbones([copy])
    assert (there / "variables/data").read_bytes() == b"weights"

    first = (there / "saved_model.pb").stat().st_ino
    (there / "variables/data").write_bytes(b"wei")  # cut short
    copy_backbones([copy])
    assert (there / "variables/data").read_bytes() == b"weights"
    assert (there / "saved_model.pb").stat().st_ino == first


def test_a_backbone_that_went_away_is_said(tmp_path):
    copy = Copy(source=str(tmp_path / "gone"), target=str(tmp_path / "there"), digest="sha256:0")
    with pytest.raises(
        UsageError, match="A backbone that goes with the pipeline is no longer here"
    ):
        copy_backbones([copy])


def test_a_place_that_cannot_be_written_is_said(backbone, tmp_path):
    (tmp_path / "file").write_text("")
    copy = Copy(source=str(backbone), target=str(tmp_path / "file/there"), digest="sha256:0")
    with pytest.raises(UsageError, match="A backbone cannot be copied: "):
        copy_backbones([copy])
