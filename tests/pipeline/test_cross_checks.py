"""What one section of a config demands of another is told with its line, before anything runs."""

import textwrap

import pytest

from pipeline.config import Config, load_config
from preprocessing.errors import ConfigError

PICTURES = """\
name: goods
data: {source: {kind: image_folder, path: pictures}}
features:
  image: {kind: image, backbone: "keras:MobileNetV2"}
"""
TABLE = """\
name: goods
data: {source: {kind: csv, path: table.csv}}
features:
  picture: {kind: image, backbone: "keras:MobileNetV2", missing: default}
  cost: {kind: numeric, column: price}
  brand: {kind: categorical, column: maker}
"""
NUMBERS = """\
name: goods
data: {source: {kind: csv, path: table.csv}}
features:
  cost: {kind: numeric, column: price}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "table.csv").touch()
    heads = (
        "from math import sqrt\nraise RuntimeError('was run')\n\ndef build(inputs, units): ...\n"
    )
    (tmp_path / "heads.py").write_text(heads)
    (tmp_path / "broken.py").write_text("def build(:\n")
    return tmp_path


def load(folder, text) -> Config:
    (folder / "goods.yaml").write_text(text)
    return load_config(folder / "goods.yaml")


def message(folder, text) -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder, text)
    return str(caught.value)


MISTAKES = {
    "a licence of a backbone that is not there": (
        TABLE + "model_card:\n  backbone_licences: {pictures: MIT}\n",
        """\
        goods.yaml, line 8: model_card.backbone_licences.pictures: no feature of this name has a backbone
          Received: 'pictures'
          Valid: picture
          Did you mean 'picture'?""",  # noqa: E501
    ),
    "a feature that is named like a property of another": (
        TABLE + "  picture_width: {kind: numeric}\n",
        """\
        goods.yaml, line 7: features.picture_width: this column name is taken: it is a property of the feature picture
          Received: 'picture_width'""",  # noqa: E501
    ),
    "a feature that is named like an indicator": (
        TABLE + "  picture_missing: {kind: categorical}\n",
        """\
        goods.yaml, line 7: features.picture_missing: this column name is taken: it is a property of the feature picture
          Received: 'picture_missing'""",  # noqa: E501
    ),
    "a feature that reads the label": (
        TABLE + "label: {name: price, task: regression}\n",
        """\
        goods.yaml, line 5: features.cost.column: this column holds the label, to be predicted
          Received: 'price'""",
    ),
    "a table's feature in a folder of pictures": (
        PICTURES + "  cost: {kind: numeric}\n",
        """\
        goods.yaml, line 5: features.cost.kind: an image_folder has pictures alone; a table (csv) may have other features too
          Received: 'numeric'
          Valid: image""",  # noqa: E501
    ),
    "a column of a folder of pictures": (
        PICTURES.replace("kind: image,", "kind: image, column: file,"),
        """\
        goods.yaml, line 4: features.image.column: an image_folder has no columns
          Received: 'file'""",
    ),
    "a slice of numbers": (
        TABLE + "evaluate: {slices: [[brand], [shop, cost]]}\n",
        """\
        goods.yaml, line 7: evaluate.slices.1.1: a numeric feature has too many values to group examples by
          Received: 'cost'
          Valid: label, source, brand, picture_width, picture_height, picture_bytes, picture_format""",  # noqa: E501
    ),
    "a slice of a column of numbers": (
        TABLE + "evaluate: {slices: [[price]]}\n",
        """\
        goods.yaml, line 7: evaluate.slices.0.0: a numeric feature has too many values to group examples by
          Received: 'price'
          Valid: label, source, brand, picture_width, picture_height, picture_bytes, picture_format
          Did you mean 'source'?""",  # noqa: E501
    ),
    "a threshold of another task": (
        TABLE + "label: {task: multilabel}\nevaluate:\n  thresholds:\n    r2: {min: 0.5}\n",
        """\
        goods.yaml, line 10: evaluate.thresholds.r2: task: multilabel has no such metric
          Received: 'r2'
          Valid: accuracy, auc, precision, recall, f1, loss, ece""",
    ),
    "a threshold of another task that is close to one of this": (
        NUMBERS
        + "label: {task: regression}\nevaluate: {thresholds: {mse: {max: 1}, f1: {min: 1}}}\n",
        """\
        goods.yaml, line 6: evaluate.thresholds.f1: task: regression has no such metric
          Received: 'f1'
          Valid: mae, rmse, mse, r2""",
    ),
    "weights of numbers": (
        NUMBERS + "label: {task: regression}\ntrain: {loss: {class_weights: balanced}}\n",
        """\
        goods.yaml, line 6: train.loss.class_weights: task: regression has no classes, so this has no meaning
          Received: 'balanced'""",  # noqa: E501
    ),
    "a focal loss of numbers": (
        NUMBERS + "label: {task: regression}\ntrain: {loss: {focal_gamma: 2}}\n",
        """\
        goods.yaml, line 6: train.loss.focal_gamma: task: regression has no classes, so this has no meaning
          Received: 2.0""",  # noqa: E501
    ),
    "calibrated numbers": (
        NUMBERS + "label: {task: regression}\ntrain: {calibrate: temperature}\n",
        """\
        goods.yaml, line 6: train.calibrate: task: regression has no probabilities, so there is nothing to calibrate
          Received: 'temperature'""",  # noqa: E501
    ),
    "fine-tuning of nothing": (
        NUMBERS + "train: {mode: fine_tune}\n",
        """\
        goods.yaml, line 5: train.mode: fine-tuning trains a backbone, and no feature has one
          Received: 'fine_tune'
          Valid: frozen""",
    ),
    "views in fine-tuning": (
        PICTURES + "train: {mode: fine_tune, views: 2}\n",
        """\
        goods.yaml, line 5: train.views: views are for mode: frozen; fine_tune.augment changes pictures anew in every epoch
          Received: 2""",  # noqa: E501
    ),
    "views of numbers": (
        NUMBERS + "train: {views: 2}\n",
        """\
        goods.yaml, line 5: train.views: views are of pictures, and no feature is one
          Received: ['numeric']""",
    ),
    "augmentation of numbers": (
        NUMBERS + "train: {augment: {flip: true}}\n",
        """\
        goods.yaml, line 5: train.augment: pictures are augmented, and no feature is one
          Received: ['numeric']""",
    ),
    "mixed views": (
        PICTURES + "train: {views: 2, augment: {mixup: 0.2}}\n",
        """\
        goods.yaml, line 5: train.augment.mixup: views cannot be mixed; fine-tuning can: train.fine_tune.augment.mixup
          Received: 0.2""",  # noqa: E501
    ),
    "mixed pictures of a number": (
        PICTURES
        + "label: {name: price, task: regression}\n"
        + "train: {mode: fine_tune, fine_tune: {augment: {mixup: 0.2}}}\n",
        """\
        goods.yaml, line 6: train.fine_tune.augment.mixup: a number between two is not what a mixture of two pictures shows
          Received: 0.2""",  # noqa: E501
    ),
    "mixed pictures beside a price": (
        TABLE + "train: {mode: fine_tune, fine_tune: {augment: {cutmix: 1.0}}}\n",
        """\
        goods.yaml, line 7: train.fine_tune.augment.cutmix: only pictures can be mixed, and these features would still tell which example it is: brand, cost
          Received: 1.0""",  # noqa: E501
    ),
    "a head in no module": (
        PICTURES + "train: {head: {function: 'head:build'}}\n",
        """\
        goods.yaml, line 5: train.head.function: no such module beside the config (FOLDER) or on Python's path
          Received: 'head'
          Valid: broken, heads
          Did you mean 'heads'?""",  # noqa: E501
    ),
    "a head in a package that is none": (
        PICTURES + "train: {head: {function: 'heads.more:build'}}\n",
        """\
        goods.yaml, line 5: train.head.function: no such module beside the config (FOLDER) or on Python's path
          Received: 'heads.more'
          Valid: broken, heads
          Did you mean 'heads'?""",  # noqa: E501
    ),
    "a head that its module lacks": (
        PICTURES + "train: {head: {function: 'heads:biuld'}}\n",
        """\
        goods.yaml, line 5: train.head.function: heads.py does not define it
          Received: 'biuld'
          Valid: build, sqrt
          Did you mean 'build'?""",
    ),
    "a head in a module that is no Python": (
        PICTURES + "train: {head: {function: 'broken:build'}}\n",
        """\
        goods.yaml, line 5: train.head.function: the module cannot be read: invalid syntax (broken.py, line 1)
          Received: 'FOLDER/broken.py'""",  # noqa: E501
    ),
    "a feature of an unknown kind": (
        PICTURES.replace("kind: image,", "kind: imagee,"),
        """\
        goods.yaml, line 4: features.image.kind is not valid
          Received: 'imagee'
          Valid: categorical, image, numeric, text
          Did you mean 'image'?
          See: graft schema""",
    ),
    "a feature without a kind": (
        PICTURES.replace("kind: image,", ""),
        """\
        goods.yaml, line 4: features.image.kind is missing
          Received: backbone
          Valid: categorical, image, numeric, text
          See: graft schema""",
    ),
    "a feature that is no mapping": (
        PICTURES.replace('{kind: image, backbone: "keras:MobileNetV2"}', "image"),
        """\
        goods.yaml, line 4: features.image is not valid
          Received: 'image'
          Valid: a mapping {kind: categorical, …}, a mapping {kind: image, …}, a mapping {kind: numeric, …}, a mapping {kind: text, …}
          See: graft schema""",  # noqa: E501
    ),
    "a key of another kind": (
        NUMBERS.replace("column: price", "top_k: 5"),
        """\
        goods.yaml, line 4: features.cost.top_k is not a known key
          Received: 'top_k'
          Valid: kind, column, missing, default, buckets
          See: graft schema""",
    ),
}


@pytest.mark.parametrize(("text", "expected"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_explained(folder, text, expected):
    assert message(folder, text) == textwrap.dedent(expected).replace("FOLDER", str(folder))


def test_all_breaches_are_told_at_once(folder):
    text = NUMBERS + "train: {views: 1, mode: fine_tune}\nlabel: {name: price}\n"
    assert message(folder, text).count("goods.yaml, line ") == 4


def test_what_is_allowed_is_not_refused(folder):
    config = load(
        folder,
        TABLE
        + "  price: {kind: numeric}\n"  # A second feature on the column of `cost`.
        + "label: {task: binary, positive: 'yes'}\n"
        + "evaluate: {slices: [[brand], [maker], [picture_format]], thresholds: {f1: {min: 0.5}}}\n"
        + "train:\n"
        + "  head: {function: 'heads:build'}\n"
        + "  fine_tune: {epochs: 2}\n"  # The mode may be switched without losing it.
        + "  loss: {class_weights: {'yes': 2.0, 'no': 1.0}}\n",
    )
    assert config.carried_columns == ("maker",)


def test_one_part_of_a_config_may_be_changed_from_the_command_line_into_a_breach(folder):
    (folder / "goods.yaml").write_text(NUMBERS)
    with pytest.raises(ConfigError) as caught:
        load_config(folder / "goods.yaml", ["train.views=3"])
    assert str(caught.value).startswith("--set train.views=3: train.views: views are of pictures")
