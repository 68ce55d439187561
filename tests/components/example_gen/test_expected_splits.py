"""Data that a pipeline was compiled for unseen has the splits that its components wait for."""

import json

import pytest

from components.example_gen.label_checks import check_expected
from preprocessing.errors import DataError


def test_a_split_that_the_data_does_not_bring_is_an_error():
    with pytest.raises(DataError) as caught:
        check_expected(("train", "eval"), json.dumps(["train", "eval", "test"]))
    assert str(caught.value) == (
        "The pipeline was compiled for data with the split test, which this data does not bring. "
        "Compile it with data.splits.test: 0.\n"
        "  Received: ['train', 'eval']"
    )


@pytest.mark.parametrize("expected", [None, json.dumps(["train", "eval"])])
def test_a_split_too_many_and_a_pipeline_for_this_very_data_are_fine(expected):
    check_expected(("train", "eval", "test"), expected)


def test_a_source_that_is_not_here_has_the_splits_that_the_config_names():
    from components.example_gen.component import RowExampleGen
    from components.example_gen.config import DataConfig, SplitsConfig
    from preprocessing.config import ImageFeature, LabelConfig

    def names(path, **splits) -> tuple[str, ...]:
        source = {"kind": "image_folder", "path": path}
        data = DataConfig(source=source, splits=SplitsConfig(**splits))
        features = {"image": ImageFeature(kind="image", backbone={"handle": "hub:small"})}
        node = RowExampleGen(data, features, LabelConfig(), listed=False)
        assert json.loads(node.exec_properties["expected"]) == list(node.split_names)
        assert node.exec_properties["fingerprint"] == ""
        return node.split_names

    assert names("gs://acme/flowers") == ("train", "eval", "test")
    assert names("gs://acme/flowers", test=0) == ("train", "eval")
    assert names({"train": "gs://acme/a", "eval": "gs://acme/b"}) == ("train", "eval")
