"""Handles are taken apart, and wrong ones answered, before anything is loaded."""

import subprocess
import sys

import pytest

from preprocessing.config import BackboneConfig
from preprocessing.errors import BackboneError
from trainer.backbones.applications import APPLICATIONS
from trainer.backbones.handles import HANDLE_KINDS, Handle, parse_handle

PIN = "sha256:" + "0" * 64


def message(**config):
    with pytest.raises(BackboneError) as caught:
        parse_handle(BackboneConfig(**config))
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
        "  Valid: hub, keras\n"
        "  Did you mean 'keras'?\n"
        "  See: graft backbones"
    )


def test_a_bare_url_is_told_where_its_kind_goes():
    assert message(handle="https://tfhub.dev/a/1") == (
        "Backbone handle 'https://tfhub.dev/a/1' does not start with a known kind."
        " Did you mean 'hub:https://tfhub.dev/a/1'?\n"
        "  Received: 'https'\n"
        "  Valid: hub, keras\n"
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


def test_keys_of_keras_handles_are_refused_for_hub_handles():
    assert message(handle="hub:model", weights="a.h5") == (
        "`weights` belongs to keras: handles; a hub: handle brings its own.\n  Received: 'a.h5'"
    )
    assert message(handle="hub:model", arguments={"alpha": 0.35}) == (
        "`arguments` belongs to keras: handles; a hub: handle takes none.\n"
        "  Received: {'alpha': 0.35}"
    )


def test_no_tensorflow_is_imported():
    code = (
        "import sys, trainer.backbones.handles, trainer.backbones.record\n"
        "import trainer.backbones.store, preprocessing.keras_mode\n"
        "sys.exit('tensorflow' in sys.modules or 'tf_keras' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
