"""Which backbones are compared, and what a person sees of it."""

import io

import pytest
import yaml
from rich.console import Console

from pipeline.config import load_config
from pipeline.scout_report import Scouted, find_candidates, find_feature, render_scouted
from preprocessing.errors import BackboneError, UsageError


@pytest.fixture
def config(tmp_path):
    def make(**features):
        path = tmp_path / "shop.yaml"
        data = {"source": {"kind": "csv", "path": "shop.csv"}}
        path.write_text(yaml.safe_dump({"name": "shop", "data": data, "features": features}))
        return load_config(path, must_exist=False)

    return make


IMAGE = {"kind": "image", "backbone": "hub:own"}
TEXT = {"kind": "text", "backbone": "hub:words"}
PRICE = {"kind": "numeric"}


def test_the_one_feature_with_a_backbone_is_meant(config):
    assert find_feature(config(image=IMAGE, price=PRICE), None) == "image"
    assert find_feature(config(image=IMAGE, title=TEXT), "title") == "title"


def test_of_several_features_one_has_to_be_named(config):
    with pytest.raises(UsageError) as caught:
        find_feature(config(image=IMAGE, title=TEXT), None)
    assert str(caught.value) == (
        "Several features have backbones; --feature says which one's are compared\n"
        "  Received: 'nothing'\n  Valid: image, title\n  See: graft scout --help"
    )


def test_a_feature_without_a_backbone_is_refused(config):
    with pytest.raises(UsageError, match="No feature of this name has a backbone"):
        find_feature(config(image=IMAGE, price=PRICE), "price")
    with pytest.raises(UsageError, match="No feature has a backbone"):
        find_feature(config(price=PRICE), None)


def test_the_config_s_own_comes_first_and_each_once(config):
    found = find_candidates(config(image=IMAGE), "image", ["hub:a", "hub:own", "hub:a"])
    assert [one.handle for one in found] == ["hub:own", "hub:a"]


def test_a_handle_that_is_none_is_refused(config):
    with pytest.raises(BackboneError, match="'hubs:a'"):
        find_candidates(config(image=IMAGE), "image", ["hubs:a"])


def test_without_handles_nothing_is_compared_that_would_have_to_be_fetched(config):
    found = find_candidates(config(image=IMAGE), "image", [])
    assert [one.handle for one in found] == ["hub:own"]


def test_a_person_sees_a_line_for_each():
    one = Scouted(
        handle="hub:own",
        metric="negative_absolute_error",
        value=-0.5,
        eval_examples=20,
        width=1280,
        bytes=9_100_000,
        new=0,
        kept=200,
    )
    shown = io.StringIO()
    render_scouted([one], Console(file=shown, width=110))
    assert [line.split() for line in shown.getvalue().splitlines()[1:2]] == [
        ["hub:own", "-0.500", "-", "-", "1,280", "9.1", "MB", "0", "200"]
    ]
    assert "Negative absolute error" in shown.getvalue()
