"""The artifact types have names that Kubeflow and Vertex can import."""

import importlib
import re

import pytest

from components import artifacts

OURS = [artifacts.ModelCard, artifacts.Exports]


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_a_type_is_found_under_its_name(kind):
    assert re.fullmatch(r"[a-z][a-z0-9-_]{2,20}[.][A-Z][a-zA-Z0-9-_]{2,49}", kind.TYPE_NAME)
    module, _, name = kind.TYPE_NAME.rpartition(".")
    assert getattr(importlib.import_module(module), name) is kind


def test_what_is_no_type_is_not_found():
    with pytest.raises(AttributeError, match="module 'components' has no attribute 'nothing'"):
        importlib.import_module("components").nothing  # noqa: B018
