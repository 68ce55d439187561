"""A config as it is loaded: defaults, paths, its digest, and files that cannot be read."""

import os

import pytest

from pipeline.config import load_config
from preprocessing.errors import ConfigError
from tests.pipeline.flowers import GOOD, load, message


def test_what_is_left_out_gets_its_default(folder):
    config = load(folder, GOOD)
    assert config.label.name == "label"
    assert config.train.epochs == 40
    assert config.push is None
    assert config.evaluate.thresholds is None


def test_paths_are_relative_to_the_config_and_not_to_where_one_stands(folder, monkeypatch):
    monkeypatch.chdir("/")
    config = load(folder, GOOD + "push: {path: ../serving}\n")
    assert config.data.source.path == str(folder / "pictures")
    assert config.push.path == str(folder.parent / "serving")
    assert config.workdir == str(folder / ".graft")
    assert config.base == folder
    assert config.features["image"].backbone.handle == "hub:backbones/small"


def test_features_are_kept_in_the_workdir_or_where_the_config_says(folder):
    assert load(folder, GOOD).feature_store == str(folder / ".graft" / "features")
    for written, meant in (("../kept", str(folder.parent / "kept")), ("gs://b/k", "gs://b/k")):
        assert load(folder, GOOD, f"cache.features={written}").feature_store == meant


def test_a_path_for_each_split_is_resolved_by_itself(folder):
    config = load(folder, GOOD, "data.source.path={train: pictures, test: table.csv}")
    assert config.data.source.path == {
        "train": str(folder / "pictures"),
        "test": str(folder / "table.csv"),
    }


def test_home_and_environment_are_expanded_in_paths(folder, monkeypatch):
    monkeypatch.setenv("PICTURES", str(folder / "pictures"))
    monkeypatch.setenv("HOME", str(folder))
    config = load(folder, GOOD, "data.source.path=${PICTURES}", "workdir=~/work")
    assert config.data.source.path == str(folder / "pictures")
    assert config.workdir == str(folder / "work")


def test_an_address_is_no_local_path(folder):
    config = load(folder, GOOD, "data.source.path=gs://bucket/pictures")
    assert config.data.source.path == "gs://bucket/pictures"


def test_the_digest_follows_values_and_not_layout_or_place(folder, tmp_path_factory):
    digest = load(folder, GOOD).digest
    other = tmp_path_factory.mktemp("other")
    (other / "pictures").mkdir()
    assert load(other, "# a comment\n" + GOOD + "train: {epochs: 40}\n").digest == digest
    assert load(folder, GOOD, "train.epochs=41").digest != digest
    assert digest.startswith("sha256:")


def test_numbers_are_read_as_people_write_them(folder):
    config = load(folder, GOOD, "train.learning_rate=1e-4", "train.head.hidden=[64, 32]")
    assert config.train.learning_rate == 1e-4
    assert config.train.head.hidden == (64, 32)


def test_a_backbone_given_as_a_bare_string_can_still_get_a_size(folder):
    backbone = load(folder, GOOD, "features.image.backbone.size=96").features["image"].backbone
    assert (backbone.handle, backbone.size) == ("hub:backbones/small", 96)


def test_data_that_is_not_there_is_reported_with_what_is(folder):
    assert message(folder, GOOD.replace("path: pictures", "path: picture")) == (
        f"flowers.yaml, line 3: data.source.path does not exist: {folder / 'picture'}\n"
        "  Received: 'picture'\n"
        "  Valid: flowers.yaml, pictures, table.csv\n"
        "  Did you mean 'pictures'?"
    )


def test_data_need_not_be_there_where_only_the_config_is_looked_at(folder):
    (folder / "flowers.yaml").write_text(GOOD.replace("path: pictures", "path: elsewhere"))
    config = load_config(folder / "flowers.yaml", must_exist=False)
    assert config.data.source.path == str(folder / "elsewhere")


def test_a_missing_config_is_answered_with_those_beside_it(folder):
    (folder / "flowers.yaml").write_text(GOOD)
    path = folder / "flower.yaml"
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(caught.value) == (
        "There is no such config file\n"
        f"  Received: {str(path)!r}\n"
        f"  Valid: {folder / 'flowers.yaml'}\n"
        f"  Did you mean {str(folder / 'flowers.yaml')!r}?"
    )


def test_a_config_that_is_no_text_is_an_error_of_the_user(folder):
    (folder / "flowers.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="^The config file cannot be read: "):
        load_config(folder / "flowers.yaml")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_config_that_may_not_be_read_is_an_error_of_the_user(folder):
    (folder / "flowers.yaml").write_text(GOOD)
    (folder / "flowers.yaml").chmod(0)
    with pytest.raises(ConfigError, match="^The config file cannot be read: "):
        load_config(folder / "flowers.yaml")
