"""Every mistake in a config gets one message that names key, line, value and what is valid."""

import os
import textwrap
from pathlib import Path

import pytest

from pipeline.config import Config, load_config
from preprocessing.config import BackboneConfig
from preprocessing.errors import ConfigError
from trainer.backbones.handles import HANDLE_KINDS
from trainer.config import TrainConfig

KEYS = ", ".join(field.alias or name for name, field in Config.model_fields.items())
HANDLES = ", ".join(dict.fromkeys(row.kind for row in HANDLE_KINDS))
TRAIN_KEYS = ", ".join(TrainConfig.model_fields)
BACKBONE_KEYS = ", ".join(BackboneConfig.model_fields)

GOOD = """\
name: flowers
data:
  source: {kind: image_folder, path: pictures}
features:
  image: {kind: image, backbone: "hub:backbones/small"}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "table.csv").write_text("image,label\n")
    return tmp_path


def load(folder: Path, text: str, *overrides: str) -> Config:
    (folder / "flowers.yaml").write_text(text)
    return load_config(folder / "flowers.yaml", overrides)


def message(folder: Path, text: str, *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, *overrides)
    return str(caught.value)


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


def test_slices_may_group_by_the_columns_of_a_table(folder):
    text = GOOD.replace("kind: image_folder, path: pictures", "kind: csv, path: table.csv")
    config = load(folder, text, "evaluate.slices=[[brand], [brand, image_format], [shop, label]]")
    assert config.carried_columns == ("brand", "shop")
    assert load(folder, GOOD, "evaluate.slices=[[label], [source]]").carried_columns == ()


MISTAKES = {
    "an unknown key": (
        GOOD + "train:\n  epoch: 3\n",
        f"""\
        flowers.yaml, line 7: train.epoch is not a known key
          Received: 'epoch'
          Valid: {TRAIN_KEYS}
          Did you mean 'epochs'?
          See: graft schema""",  # noqa: E501
    ),
    "an unknown section": (
        GOOD + "trian: {}\n",
        f"""\
        flowers.yaml, line 6: trian is not a known key
          Received: 'trian'
          Valid: {KEYS}
          Did you mean 'train'?
          See: graft schema""",
    ),
    "text for a number": (
        GOOD + "train: {epochs: many}\n",
        """\
        flowers.yaml, line 6: train.epochs is not valid
          Received: 'many'
          Valid: a whole number above 0
          See: graft schema""",
    ),
    "a number in quotes": (
        GOOD + "train: {epochs: '5'}\n",
        """\
        flowers.yaml, line 6: train.epochs is not valid
          Received: '5'
          Valid: a whole number above 0
          See: graft schema""",
    ),
    "true for a number": (
        GOOD + "train: {epochs: true}\n",
        """\
        flowers.yaml, line 6: train.epochs is not valid
          Received: true
          Valid: a whole number above 0
          See: graft schema""",
    ),
    "half an epoch": (
        GOOD + "train: {epochs: 1.5}\n",
        """\
        flowers.yaml, line 6: train.epochs is not valid
          Received: 1.5
          Valid: a whole number above 0
          See: graft schema""",
    ),
    "a number out of its range": (
        GOOD + "train: {head: {dropout: 1}}\n",
        """\
        flowers.yaml, line 6: train.head.dropout is not valid
          Received: 1
          Valid: a number at least 0 and below 1
          See: graft schema""",
    ),
    "an item of a list": (
        GOOD + "train: {head: {hidden: [64, 0]}}\n",
        """\
        flowers.yaml, line 6: train.head.hidden.1 is not valid
          Received: 0
          Valid: a whole number above 0
          See: graft schema""",
    ),
    "a word for yes": (
        GOOD.replace("pictures}", "pictures}\n  splits: {stratify: yes}"),
        """\
        flowers.yaml, line 4: data.splits.stratify is not valid
          Received: 'yes'
          Valid: true or false
          See: graft schema""",
    ),
    "an unknown choice": (
        GOOD + "label: {task: multiclas}\n",
        """\
        flowers.yaml, line 6: label.task is not valid
          Received: 'multiclas'
          Valid: multiclass, binary, multilabel, regression
          Did you mean 'multiclass'?
          See: graft schema""",
    ),
    "an unknown kind of source": (
        GOOD.replace("image_folder", "images_folder"),
        """\
        flowers.yaml, line 3: data.source.kind is not valid
          Received: 'images_folder'
          Valid: csv, image_folder, tfrecord
          Did you mean 'image_folder'?
          See: graft schema""",
    ),
    "no kind of source": (
        GOOD.replace("kind: image_folder, ", ""),
        """\
        flowers.yaml, line 3: data.source.kind is missing
          Received: path
          Valid: csv, image_folder, tfrecord
          See: graft schema""",
    ),
    "a missing key": (
        GOOD.replace(", path: pictures", ""),
        """\
        flowers.yaml, line 3: data.source.path is missing
          Received: kind
          Valid: text, a mapping {train, eval, test}
          See: graft schema""",
    ),
    "a missing section": (
        "name: flowers\ndata:\n  source: {kind: image_folder, path: pictures}\n",
        """\
        flowers.yaml: features is missing
          Received: name, data
          Valid: a mapping {image: …}, not empty
          See: graft schema""",
    ),
    "a value for a section": (
        GOOD + "push: serving\n",
        """\
        flowers.yaml, line 6: push is not valid
          Received: 'serving'
          Valid: a mapping {path, keep, warmup, again}, null
          See: graft schema""",
    ),
    "an empty section": (
        GOOD + "train:\n",
        f"""\
        flowers.yaml, line 6: train is not valid
          Received: null
          Valid: a mapping {{{TRAIN_KEYS}}}
          See: graft schema""",  # noqa: E501
    ),
    "neither member of a union": (
        GOOD.replace("path: pictures", "path: 5"),
        """\
        flowers.yaml, line 3: data.source.path is not valid
          Received: 5
          Valid: text, a mapping {train, eval, test}
          See: graft schema""",
    ),
    "a split that does not exist": (
        GOOD.replace("path: pictures", "path: {validation: pictures}"),
        """\
        flowers.yaml, line 3: data.source.path.validation is not a valid key
          Received: 'validation'
          Valid: train, eval, test
          See: graft schema""",
    ),
    "no features": (
        GOOD.partition("features")[0] + "features: {}\n",
        """\
        flowers.yaml, line 4: features is not valid
          Received: {}
          Valid: a mapping {image: …}, not empty
          See: graft schema""",
    ),
    "a feature that is no identifier": (
        GOOD.replace("  image:", "  my-image:"),
        """\
        flowers.yaml, line 5: features.my-image is not a valid key
          Received: 'my-image'
          Valid: text that matches ^[A-Za-z][A-Za-z0-9_]*$, such as image
          See: graft schema""",
    ),
    "a number for a backbone": (
        GOOD.replace('"hub:backbones/small"', "5"),
        f"""\
        flowers.yaml, line 5: features.image.backbone is not valid
          Received: 5
          Valid: text, a mapping {{{BACKBONE_KEYS}}}
          See: graft schema""",
    ),
    "a short digest": (
        GOOD.replace('"hub:backbones/small"', "{handle: 'hub:a', digest: abc}"),
        """\
        flowers.yaml, line 5: features.image.backbone.digest is not valid
          Received: 'abc'
          Valid: text that matches ^sha256:[0-9a-f]{64}$, null
          See: graft schema""",
    ),
    "a backbone of an unknown kind": (
        GOOD.replace("hub:backbones", "hob:backbones"),
        f"""\
        flowers.yaml, line 5: features.image.backbone: Backbone handle 'hob:backbones/small' does not start with a known kind.
          Received: 'hob'
          Valid: {HANDLES}
          Did you mean 'hub'?
          See: graft backbones""",  # noqa: E501
    ),
    "a name that is no folder's": (
        GOOD.replace("name: flowers", "name: My Flowers"),
        """\
        flowers.yaml, line 1: name is not valid
          Received: 'My Flowers'
          Valid: text that matches ^[a-z][a-z0-9_-]{0,62}$, such as flowers
          See: graft schema""",
    ),
    "a metric that is not known": (
        GOOD + "evaluate: {thresholds: {acuracy: {min: 0.5}}}\n",
        """\
        flowers.yaml, line 6: evaluate.thresholds.acuracy is not a valid key
          Received: 'acuracy'
          Valid: accuracy, auc, precision, recall, f1, loss, ece, mae, rmse, mse, r2
          Did you mean 'accuracy'?
          See: graft schema""",
    ),
    "a bare threshold": (
        GOOD + "evaluate: {thresholds: {accuracy: 0.8}}\n",
        """\
        flowers.yaml, line 6: evaluate.thresholds.accuracy is not valid
          Received: 0.8
          Valid: a mapping {min, max, no_worse_than_baseline_by, when_unsure}
          See: graft schema""",
    ),
    "a threshold without a bound": (
        GOOD + "evaluate: {thresholds: {accuracy: {}}}\n",
        """\
        flowers.yaml, line 6: evaluate.thresholds.accuracy: needs at least one of min, max and no_worse_than_baseline_by
          Received: {}""",  # noqa: E501
    ),
    "a threshold that nothing passes": (
        GOOD + "evaluate: {thresholds: {loss: {min: 2, max: 1}}}\n",
        """\
        flowers.yaml, line 6: evaluate.thresholds.loss: min is above max, so no model could pass
          Received: {'max': 1, 'min': 2}""",
    ),
    "an accuracy in percent": (
        GOOD + "evaluate: {thresholds: {accuracy: {min: 85}}}\n",
        """\
        flowers.yaml, line 6: evaluate: thresholds.accuracy.min is above 1, the most that accuracy can be
          Received: {'thresholds': {'accuracy': {'min': 85}}}""",  # noqa: E501
    ),
    "slices that nothing makes": (
        GOOD + "evaluate: {slice_thresholds: {accuracy: {min: 0.5}}}\n",
        """\
        flowers.yaml, line 6: evaluate: slice_thresholds need slices: say which columns to group by
          Received: {'slice_thresholds': {'accuracy': {'min': 0.5}}}""",
    ),
    "a slice's accuracy below nothing": (
        GOOD + "evaluate: {slices: [[source]], slice_thresholds: {accuracy: {max: -1}}}\n",
        """\
        flowers.yaml, line 6: evaluate: slice_thresholds.accuracy.max is below 0, the least that accuracy can be
          Received: {'slice_thresholds': {'accuracy': {'max': -1}}, 'slices': [['source']]}""",  # noqa: E501
    ),
    "an interval that is not computed": (
        GOOD + "evaluate: {confidence: null, thresholds: {loss: {max: 1, when_unsure: pass}}}\n",
        """\
        flowers.yaml, line 6: evaluate: thresholds.loss.when_unsure asks for an interval, and confidence is null
          Received: {'confidence': None, 'thresholds': {'loss': {'max': 1, 'when_unsure': 'pass'}}}""",  # noqa: E501
    ),
    "a way to be unsure that is not known": (
        GOOD + "evaluate: {thresholds: {loss: {max: 1, when_unsure: past}}}\n",
        """\
        flowers.yaml, line 6: evaluate.thresholds.loss.when_unsure is not valid
          Received: 'past'
          Valid: value, pass, fail
          Did you mean 'pass'?
          See: graft schema""",
    ),
    "a cross of a column with itself": (
        GOOD + "evaluate: {slices: [[source, source]]}\n",
        """\
        flowers.yaml, line 6: evaluate: slices: a column stands twice in ['source', 'source']
          Received: {'slices': [['source', 'source']]}""",
    ),
    "a confidence in percent": (
        GOOD + "evaluate: {confidence: 95}\n",
        """\
        flowers.yaml, line 6: evaluate.confidence is not valid
          Received: 95
          Valid: a number above 0.5 and below 1, null
          See: graft schema""",
    ),
    "a slice of an unknown column": (
        GOOD + "evaluate: {slices: [[sorce]]}\n",
        """\
        flowers.yaml, line 6: evaluate.slices.0.0: examples cannot be grouped by this column
          Received: 'sorce'
          Valid: label, source, image_width, image_height, image_bytes, image_format
          Did you mean 'source'?""",
    ),
    "a slice of a feature": (
        GOOD.replace("kind: image_folder, path: pictures", "kind: csv, path: table.csv")
        + "evaluate: {slices: [[image]]}\n",
        """\
        flowers.yaml, line 6: evaluate.slices.0.0: examples cannot be grouped by this column
          Received: 'image'
          Valid: label, source, image_width, image_height, image_bytes, image_format
          Did you mean 'image_width'?""",
    ),
    "a label that is named like our own column": (
        GOOD + "label: {name: source}\n",
        """\
        flowers.yaml, line 6: label.name: this column name is taken: it is where an example comes from
          Received: 'source'""",  # noqa: E501
    ),
    "a label that is a feature": (
        GOOD + "label: {name: image}\n",
        """\
        flowers.yaml, line 6: label.name: this column name is taken: it is another feature
          Received: 'image'""",
    ),
    "groups without a table": (
        GOOD.replace("pictures}", "pictures}\n  splits: {group_by: owner}"),
        """\
        flowers.yaml, line 2: data: splits.group_by names a column, so it needs a csv source
          Received: {'source': {'kind': 'image_folder', 'path': 'pictures'}, 'splits': {'group_by': 'owner'}}""",  # noqa: E501
    ),
    "a variable that is not set": (
        GOOD.replace("path: pictures", "path: '${GRAFT_NO_SUCH}/a'"),
        """\
        flowers.yaml, line 3: data.source.path refers to a variable that is not set
          Received: '${GRAFT_NO_SUCH}'""",
    ),
    "no mapping at all": (
        "- a\n",
        f"""\
        flowers.yaml: a config is a mapping with the keys that are valid here
          Received: "['a']"
          Valid: {KEYS}""",
    ),
    "an empty file": (
        "",
        f"""\
        flowers.yaml: a config is a mapping with the keys that are valid here
          Received: ''
          Valid: {KEYS}""",
    ),
}


@pytest.mark.parametrize(("text", "expected"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_explained(folder, text, expected):
    assert message(folder, text) == textwrap.dedent(expected)


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


def test_all_mistakes_are_listed_at_once_in_the_order_of_the_records(folder):
    text = GOOD.replace("name: flowers", "name: 5") + "train: {epochs: 0, lr: 1}\n"
    assert message(folder, text) == textwrap.dedent(f"""\
        3 values are not valid

        flowers.yaml, line 1: name is not valid
          Received: 5
          Valid: text that matches ^[a-z][a-z0-9_-]{{0,62}}$, such as flowers
          See: graft schema

        flowers.yaml, line 6: train.epochs is not valid
          Received: 0
          Valid: a whole number above 0
          See: graft schema

        flowers.yaml, line 6: train.lr is not a known key
          Received: 'lr'
          Valid: {TRAIN_KEYS}
          See: graft schema""")  # noqa: E501


def test_a_mistake_in_an_override_is_placed_there(folder):
    assert message(folder, GOOD + "train: {epochs: 5}\n", "train.epochs=many") == (
        "--set train.epochs=many: train.epochs is not valid\n"
        "  Received: 'many'\n"
        "  Valid: a whole number above 0\n"
        "  See: graft schema"
    )


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


@pytest.fixture
def pictures(tmp_path):
    """A config beside its folder of pictures."""
    (tmp_path / "pictures").mkdir()
    (tmp_path / "c.yaml").write_text(
        "name: a\ndata: {source: {kind: image_folder, path: pictures}}\n"
        "features: {image: {kind: image, backbone: 'keras:MobileNetV2'}}\npush: {path: out}\n"
    )
    return tmp_path / "c.yaml"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "workdir=gs://bucket/work",
            "workdir must be a folder on this machine, for an address is not written to\n"
            "  Received: 'gs://bucket/work'",
        ),
        (
            "push.path=https://models.example/a",
            "push.path must be a folder, or an address that is written to, such as gs://bucket\n"
            "  Received: 'https://models.example/a'",
        ),
    ],
)
def test_an_address_that_cannot_be_written_to_is_refused(pictures, change, message):
    with pytest.raises(ConfigError) as caught:
        load_config(pictures, [change])
    assert message in str(caught.value)


def test_a_model_may_be_pushed_to_an_address(pictures):
    config = load_config(pictures, ["push.path=gs://bucket/models"])
    assert config.push.path == "gs://bucket/models"


def test_a_push_into_data_at_an_address_is_refused(pictures):
    overrides = ["data.source.path=gs://bucket/data", "push.path=gs://bucket/data/served"]
    with pytest.raises(ConfigError, match="push.path lies in the data"):
        load_config(pictures, overrides)


def test_a_push_into_the_data_is_refused(tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "c.yaml").write_text(
        "name: a\ndata: {source: {kind: image_folder, path: pictures}}\n"
        "features: {image: {kind: image, backbone: 'keras:MobileNetV2'}}\n"
        "push: {path: pictures/served}\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "c.yaml")
    assert str(caught.value) == (
        "c.yaml, line 4: push.path lies in the data, where a server would take folders for versions"
    )
