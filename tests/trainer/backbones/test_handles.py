"""Handles are taken apart, and wrong ones answered, before anything is loaded."""

import subprocess
import sys

import pytest

from preprocessing.config import BackboneConfig
from preprocessing.errors import BackboneError
from trainer.backbones.applications import APPLICATIONS
from trainer.backbones.handles import HANDLE_KINDS, Handle, parse_handle, parse_preprocessor
from trainer.backbones.keys import KEYS

PIN = "sha256:" + "0" * 64


def message(modality=None, /, **config):
    with pytest.raises(BackboneError) as caught:
        parse_handle(BackboneConfig(**config), modality)
    return str(caught.value)


@pytest.mark.parametrize("example", [e for row in HANDLE_KINDS for e in row.examples])
def test_every_example_that_is_shown_is_understood(example):
    assert parse_handle(BackboneConfig(handle=example)).target


@pytest.mark.parametrize(
    ("handle", "expected"),
    [
        ("hub:https://tfhub.dev/a/1", ("hub", "url", "https://tfhub.dev/a/1")),
        ("hub:gs://bucket/a.tar.gz", ("hub", "gcs", "gs://bucket/a.tar.gz")),
        ("hub:/abs/model", ("hub", "path", "/abs/model")),
        ("hub:models/with:colon", ("hub", "path", "models/with:colon")),
        ("keras:VGG16", ("keras", "application", "VGG16")),
        ("hf:bert-base-uncased", ("hf", "id", "bert-base-uncased")),
        ("hf:org/model", ("hf", "id", "org/model")),
        ("hf:org/model@refs/pr/1", ("hf", "id", "org/model@refs/pr/1")),
        ("hf:./model", ("hf", "path", "./model")),
        ("hf:~/model", ("hf", "path", "~/model")),
        ("hf:/abs/model", ("hf", "path", "/abs/model")),
        ("hf:models/text/minilm", ("hf", "path", "models/text/minilm")),
    ],
)
def test_kind_form_and_target(handle, expected):
    kind, form, target = expected
    parsed = parse_handle(BackboneConfig(handle=handle))
    assert parsed == Handle(kind=kind, form=form, target=target)


@pytest.mark.parametrize("name", APPLICATIONS)
def test_every_application_is_understood(name):
    assert parse_handle(BackboneConfig(handle=f"keras:{name}")).target == name


def test_an_unknown_kind_gets_the_closest_one():
    assert message(handle="kera:VGG16") == (
        "Backbone handle 'kera:VGG16' does not start with a known kind.\n"
        "  Received: 'kera'\n"
        "  Valid: hub, keras, hf\n"
        "  Did you mean 'keras'?\n"
        "  See: graft backbones"
    )


def test_a_bare_url_is_told_where_its_kind_goes():
    assert message(handle="https://tfhub.dev/a/1") == (
        "Backbone handle 'https://tfhub.dev/a/1' does not start with a known kind."
        " Did you mean 'hub:https://tfhub.dev/a/1'?\n"
        "  Received: 'https'\n"
        "  Valid: hub, keras, hf\n"
        "  See: graft backbones"
    )


@pytest.mark.parametrize(
    ("handle", "suggestion"),
    [
        ("MobilenetV2", "keras:MobileNetV2"),
        ("models/mobilenet", "hub:models/mobilenet"),
        ("mine.tgz", "hub:mine.tgz"),
    ],
)
def test_a_bare_name_or_path_gets_the_whole_handle(handle, suggestion):
    assert f"Did you mean {suggestion!r}?" in message(handle=handle)


def test_an_unknown_application_gets_the_closest_one_whatever_its_case():
    assert message(handle="keras:mobilenetv2") == (
        "tf_keras.applications has no such model. Did you mean 'keras:MobileNetV2'?\n"
        f"  Known: {', '.join(APPLICATIONS)}\n"
        "  Received: 'mobilenetv2'\n"
        "  See: graft backbones"
    )


def test_an_application_like_none_gets_no_guess():
    assert "Did you mean" not in message(handle="keras:zzzzzz")


def test_nothing_after_the_colon():
    assert message(handle="keras:") == (
        "A keras: handle names nothing after the colon.\n"
        "  Received: 'keras:'\n"
        "  Valid: keras:NAME\n"
        "  Did you mean 'keras:NAME'?\n"
        "  See: graft backbones"
    )


def test_an_unknown_scheme():
    assert message(handle="hub:s3://bucket/model") == (
        "A hub: handle is a path or a URL of a known scheme.\n"
        "  Received: 's3://bucket/model'\n"
        "  Valid: https, http, gs\n"
        "  See: graft backbones"
    )


def test_plain_http_needs_a_pin_unless_it_stays_on_this_machine():
    assert message(handle="hub:http://example.org/a.tar.gz") == (
        "A backbone over http:// can be replaced on the way: use https://, or pin its content "
        "with `digest: sha256:…`.\n"
        "  Received: 'http://example.org/a.tar.gz'"
    )
    parse_handle(BackboneConfig(handle="hub:http://example.org/a.tar.gz", digest=PIN))
    parse_handle(BackboneConfig(handle="hub:http://localhost:8000/a.tar.gz"))


@pytest.mark.parametrize(
    ("config", "what"),
    [
        (
            {"handle": "hub:model", "weights": "a.h5"},
            "`weights` belongs to keras: handles; a hub: module brings its own.\n"
            "  Received: 'a.h5'",
        ),
        (
            {"handle": "hub:model", "arguments": {"alpha": 0.35}},
            "`arguments` belongs to keras: handles; a hub: handle has no use for it.\n"
            "  Received: {'alpha': 0.35}",
        ),
        (
            {"handle": "keras:VGG16", "preprocessor": "hub:tokens"},
            "`preprocessor` belongs to hub: handles; a keras: handle has no use for it.\n"
            "  Received: 'hub:tokens'",
        ),
        (
            {"handle": "keras:VGG16", "sequence_length": 64},
            "`sequence_length` belongs to hub: and hf: handles; a keras: handle has no use for it."
            "\n  Received: 64",
        ),
        (
            {"handle": "keras:VGG16", "use_logits": True},
            "`use_logits` belongs to hub: handles; keras: models come without their classifier.\n"
            "  Received: True",
        ),
        (
            {"handle": "hub:model", "sequence_length": 64},
            "`sequence_length` belongs to text encoders; a hub: module without a `preprocessor` "
            "takes whole strings.\n"
            "  Received: 64",
        ),
        (
            {"handle": "hub:model", "preprocessor": "hub:tokens", "use_logits": True},
            "`use_logits` belongs to classifiers; a text encoder with a `preprocessor` gives "
            "vectors.\n"
            "  Received: True",
        ),
    ],
)
def test_a_key_of_another_kind_of_handle_is_refused(config, what):
    assert message(**config) == what


@pytest.mark.parametrize(
    ("key", "value", "modality", "belongs"),
    [
        ("size", 224, "text", "images"),
        ("preprocessor", "hub:tokens", "image", "texts"),
        ("sequence_length", 64, "image", "texts"),
        ("pooling", "mean", "image", "texts"),
    ],
)
def test_a_key_of_another_kind_of_feature_is_refused(key, value, modality, belongs):
    assert message(modality, handle="hub:model", **{key: value}) == (
        f"`{key}` belongs to the backbones of {belongs}; this feature is of kind {modality}.\n"
        f"  Received: {value!r}"
    )


def test_a_keras_model_is_not_for_texts():
    assert message("text", handle="keras:VGG16") == (
        "A keras: handle is a model of pictures, and this feature is a text.\n"
        "  Received: 'keras:VGG16'\n"
        "  See: graft backbones"
    )


def test_every_key_says_where_it_belongs():
    for_all = {"handle", "digest"}
    assert set(KEYS) == set(BackboneConfig.model_fields) - for_all


def test_a_preprocessor_is_a_hub_module():
    assert message(handle="hub:encoder", preprocessor="keras:VGG16") == (
        "A `preprocessor` is a hub: module.\n"
        "  Received: 'keras:VGG16'\n"
        "  Valid: hub:URL-or-path\n"
        "  See: graft backbones"
    )
    parsed = parse_preprocessor(BackboneConfig(handle="hub:e", preprocessor="hub:gs://b/p"))
    assert parsed == Handle(kind="hub", form="gcs", target="gs://b/p", modality="text")


def test_no_tensorflow_is_imported():
    code = (
        "import sys, trainer.backbones.handles, trainer.backbones.record\n"
        "import trainer.backbones.store, preprocessing.keras_mode\n"
        "sys.exit('tensorflow' in sys.modules or 'tf_keras' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_hf_target_that_is_a_folder_is_a_path(tmp_path):
    (tmp_path / "org" / "model").mkdir(parents=True)
    config = BackboneConfig(handle="hf:org/model")
    assert parse_handle(config, base=tmp_path).form == "path"
    assert parse_handle(config, base=tmp_path / "org").form == "id"


def test_an_hf_target_that_is_neither_id_nor_path():
    assert message(handle="hf:my model") == (
        "An hf: handle is a model id of the HuggingFace hub or the path of a folder.\n"
        "  Received: 'my model'\n"
        "  Valid: hf:ORG/MODEL[@REVISION], hf:PATH\n"
        "  See: graft backbones"
    )
