"""A store at an address, through TensorFlow's own files."""

import numpy as np
import pytest

from components.embedder.store.files import AddressFiles, files_at
from components.embedder.store.namespace import Namespace
from components.embedder.store.usage import prune, read_usage


@pytest.fixture
def root(tmp_path):
    return f"file://{tmp_path}/store"


def open_space(root):
    return Namespace(root, {"backbone": "one"}, {"handle": "hub:x"}, 4)


def test_vectors_are_kept_found_and_deleted(root, keys_of):
    assert isinstance(files_at(root), AddressFiles)
    space = open_space(root)
    space.add(keys_of(range(100)), np.ones((100, 4), np.float32), np.zeros(100, bool))
    space.flush()
    assert open_space(root).find(keys_of([99, 100])).found.tolist() == [True, False]
    (usage,) = read_usage(root)
    assert (usage.entries, usage.about["handle"]) == (100, "hub:x")
    assert prune(root, 0).segments == 1
    assert read_usage(root) == []
    assert not open_space(root).find(keys_of([99])).found.any()


def test_what_is_not_there_is_missing(root):
    files = files_at(root)
    assert files.folders(root) == files.listing(root) == []
    with pytest.raises(FileNotFoundError):
        files.read(f"{root}/none", 0, 1)
    with pytest.raises(FileNotFoundError):
        files.remove(f"{root}/none")
