"""The user's own code is found and digested as it lies there, and never run."""

import importlib
import sys

import pytest

from pipeline.user_code import defined_names, digest_function, find_module, importable


@pytest.fixture
def base(tmp_path):
    """A module, and a package of two; each would end the test if it were run."""
    package = tmp_path / "parts" / "inner"
    package.mkdir(parents=True)
    for path in ("heads.py", "parts/__init__.py", "parts/inner/__init__.py", "parts/inner/deep.py"):
        (tmp_path / path).write_text("raise RuntimeError('was run')\n")
    return tmp_path


def test_a_module_is_found_as_an_import_would(base):
    assert find_module("heads", base) == base / "heads.py"
    assert find_module("parts.inner", base) == base / "parts" / "inner" / "__init__.py"
    assert find_module("parts.inner.deep", base) == base / "parts" / "inner" / "deep.py"
    assert find_module("heads.deep", base) is None
    assert find_module("nowhere", base) is None


def test_what_is_installed_is_not_hidden_by_a_file_of_the_same_name(base):
    (base / "textwrap.py").touch()
    assert find_module("textwrap", base) != base / "textwrap.py"
    with importable(base):
        assert importlib.util.find_spec("textwrap").origin != str(base / "textwrap.py")


def test_the_folder_is_on_the_path_only_while_it_is_needed(base):
    before = list(sys.path)
    with importable(base):
        assert sys.path == [*before, str(base)]
    assert sys.path == before


def test_names_are_those_of_the_top_level(tmp_path):
    path = tmp_path / "names.py"
    path.write_text(
        "from a import b as c, d\nimport e\nf = 1\nclass G:\n  h = 2\ndef i():\n  j = 3\n"
    )
    assert defined_names(path) == {"c", "d", "e", "f", "G", "i"}


@pytest.mark.parametrize(
    ("function", "file", "counts"),
    [
        ("heads:build", "heads.py", True),
        ("heads:build", "parts/__init__.py", False),
        ("parts.inner:build", "parts/inner/deep.py", True),
        ("parts.inner.deep:build", "parts/__init__.py", True),
        ("parts.inner.deep:build", "heads.py", False),
    ],
)
def test_a_changed_line_of_the_module_or_its_package_changes_the_digest(
    base, function, file, counts
):
    before = digest_function(function, base)
    with (base / file).open("a") as opened:
        opened.write("# another line\n")
    assert (digest_function(function, base) != before) is counts


def test_a_built_in_head_has_no_code_of_the_users(base):
    assert digest_function(None, base) is None
