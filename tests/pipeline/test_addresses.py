"""An address that a run cannot use is refused before it, with one clear error."""

import pytest
import tensorflow as tf

from pipeline.addresses import check_addresses
from preprocessing.errors import UsageError
from tests.pipeline.flowers import GOOD, load


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("workdir", "workdir=gopher://bucket/a"),
        ("cache.features", "cache.features=gopher://bucket/a"),
        ("push.path", "push={path: 'gopher://bucket/a'}"),
        ("data.source.path", "data.source.path=gopher://bucket/a"),
    ],
)
def test_an_address_for_which_tensorflow_has_no_file_system_is_named(folder, key, change):
    with pytest.raises(UsageError) as caught:
        check_addresses(load(folder, GOOD, change))
    assert str(caught.value).startswith(
        f"{key}: TensorFlow has no file system for this address\n"
        "  Received: 'gopher://bucket/a'\n"
        "  Valid: "
    )


def test_an_address_that_can_be_written_is_left_as_it_was(folder):
    check_addresses(load(folder, GOOD, "workdir=ram://bucket/work"))
    assert tf.io.gfile.listdir("ram://bucket/work") == []


def test_an_address_that_cannot_be_written_is_refused_with_the_reason(folder):
    with pytest.raises(UsageError) as caught:
        check_addresses(load(folder, GOOD, "workdir=file:///proc/graft"))
    assert str(caught.value).startswith("workdir: this address cannot be written: ")
    assert "\n  Received: 'file:///proc/graft'\n  See: docs/storage.md" in str(caught.value)


def test_an_address_that_cannot_be_read_is_refused_with_the_reason(folder, monkeypatch):
    def refuse(path):
        raise tf.errors.PermissionDeniedError(None, None, "403: it is not yours\nat all")

    monkeypatch.setattr(tf.io.gfile, "exists", refuse)
    with pytest.raises(UsageError) as caught:
        check_addresses(load(folder, GOOD, "data.source.path=ram://bucket/pictures"))
    assert str(caught.value) == (
        "data.source.path: this address cannot be read: 403: it is not yours\n"
        "  Received: 'ram://bucket/pictures'\n"
        "  See: docs/storage.md"
    )
