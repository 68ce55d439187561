"""Which model and which input are taken, and what is said where there is none."""

import shutil

import pytest

from components.example_gen.config import CsvSource, ImageFolderSource, TfRecordSource
from preprocessing.errors import DataError, UsageError
from serving.batch.find import find_model, find_source
from serving.batch.formats import FORMATS
from serving.batch.request import SUFFIXES


@pytest.fixture
def versions(prices_model, tmp_path):
    """A serving folder with the versions 9 and 10, and half of 11."""
    for version in ("9", "10"):
        shutil.copytree(prices_model("binary"), tmp_path / "serving" / version)
    (tmp_path / "serving" / "11").mkdir()
    return tmp_path / "serving"


def test_each_suffix_that_an_output_may_have_is_a_format():
    assert tuple(FORMATS) == SUFFIXES


def test_of_a_folder_of_versions_the_newest_is_taken(versions):
    assert find_model(f"{versions}/") == (f"{versions}/10", 2)
    assert find_model(str(versions / "9")) == (f"{versions}/9", None)


def test_a_trainers_folder_holds_the_model_that_is_served(versions, tmp_path):
    shutil.copytree(versions / "9", tmp_path / "model" / "7" / "Format-Serving")
    expected = f"{tmp_path}/model/7/Format-Serving"
    assert find_model(f"{tmp_path}/model/7").path == expected


def test_a_folder_that_is_no_model_says_what_it_holds_and_where_there_is_one(versions, tmp_path):
    with pytest.raises(UsageError) as caught:
        find_model(str(tmp_path))
    what = "This folder is no model: it has no saved_model.pb, no versions and no Format-Serving/"
    assert str(caught.value) == (
        f"{what}\n  Received: '{tmp_path}'\n  There is a model in {versions}/9"
    )
    with pytest.raises(UsageError) as caught:
        find_model(str(versions / "10" / "variables"))
    assert str(caught.value) == (
        f"{what}\n  Received: '{versions}/10/variables'\n"
        "  It holds: variables.data-00000-of-00001, variables.index"
    )


def test_a_folder_that_is_not_there_is_refused_with_the_closest(versions):
    with pytest.raises(UsageError) as caught:
        find_model(str(versions / "8"))
    assert str(caught.value) == (
        "The model must be a folder, and there is none of this name\n"
        f"  Received: '{versions}/8'\n"
        f"  Valid: {versions}/10, {versions}/11, {versions}/9\n"
        f"  Did you mean '{versions}/9'?"
    )


def test_a_model_that_says_nothing_of_itself_is_refused(versions, predict, table):
    (versions / "10" / "assets.extra" / "model.json").unlink()
    with pytest.raises(DataError) as caught:
        predict(versions, table(1))
    assert str(caught.value) == (
        "The model was not exported by Graft: it has no assets.extra/model.json\n"
        f"  Received: '{versions}/10'"
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("pictures", ImageFolderSource),
        ("pictures [1]", ImageFolderSource),
        ("goods.csv", CsvSource),
        ("goods.TSV", CsvSource),
        ("goods.tfrecord", TfRecordSource),
        ("data_tfrecord-00000-of-00001.gz", TfRecordSource),
    ],
)
def test_a_name_tells_the_kind_of_input(tmp_path, name, kind):
    path = tmp_path / name
    path.touch() if "." in name else path.mkdir()
    assert find_source(str(path)) == kind(
        kind=kind.model_fields["kind"].annotation.__args__[0], path=str(path)
    )


def test_a_folder_of_tfrecords_is_all_of_them(tmp_path):
    (tmp_path / "data_tfrecord-00000-of-00002.gz").touch()
    (tmp_path / "data_tfrecord-00001-of-00002.gz").touch()
    assert find_source(str(tmp_path)) == TfRecordSource(kind="tfrecord", path=f"{tmp_path}/*")


def refusal(*arguments):
    with pytest.raises(UsageError) as caught:
        find_source(*arguments)
    return str(caught.value)


def test_an_input_that_cannot_be_told_is_asked_about(tmp_path):
    path = tmp_path / "goods.dat"
    path.touch()
    assert refusal(str(path)) == (
        "It cannot be told what the input is; say so with --kind\n"
        f"  Received: '{path}'\n  Valid: image_folder, csv, tfrecord"
    )
    assert find_source(str(path), "csv").path == str(path)
    assert refusal(str(path), "image_folder") == (
        f"--kind image_folder: the input is a file\n  Received: '{path}'"
    )
    assert refusal(str(tmp_path), "csv") == (
        f"--kind csv: the input is a folder\n  Received: '{tmp_path}'"
    )


def test_one_picture_is_no_input(tmp_path):
    path = tmp_path / "a.jpg"
    path.touch()
    assert refusal(str(path)) == (
        "The input is one picture; give the folder that it is in\n"
        f"  Received: '{path}'\n  Valid: image_folder, csv, tfrecord"
    )


def test_an_input_that_is_not_there_is_refused_with_the_closest(tmp_path):
    (tmp_path / "goods.csv").touch()
    assert refusal(str(tmp_path / "goods.cvs")) == (
        f"The input does not exist\n  Received: '{tmp_path}/goods.cvs'\n"
        f"  Valid: {tmp_path}/goods.csv\n  Did you mean '{tmp_path}/goods.csv'?"
    )
