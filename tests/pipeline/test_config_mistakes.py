"""Every mistake in a config gets one message that names key, line, value and what is valid."""

import textwrap

import pytest

from pipeline.config import Config
from preprocessing.config import BackboneConfig
from tests.pipeline.flowers import GOOD, message
from trainer.backbones.handles import HANDLE_KINDS
from trainer.config import TrainConfig

KEYS = ", ".join(field.alias or name for name, field in Config.model_fields.items())
HANDLES = ", ".join(dict.fromkeys(row.kind for row in HANDLE_KINDS))
TRAIN_KEYS = ", ".join(TrainConfig.model_fields)
BACKBONE_KEYS = ", ".join(BackboneConfig.model_fields)


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
