"""The code digest: a changed line counts for what depends on it, and for nothing else."""

import shutil

import pytest

from pipeline.code_digest import CODE_OF, ROOT, digest_code


@pytest.fixture
def copy(tmp_path):
    for package in ("components", "preprocessing", "trainer"):
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    return tmp_path


def changed(copy, file):
    before = {name: digest_code(name, copy) for name in CODE_OF}
    with (copy / file).open("a") as opened:
        opened.write("# another line\n")
    return {name for name in CODE_OF if digest_code(name, copy) != before[name]}


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("trainer/heads.py", {"Trainer"}),
        ("trainer/features.py", {"Embedder", "Trainer"}),
        ("trainer/backbones/load.py", {"Embedder", "Trainer"}),
        ("preprocessing/image.py", {"Transform", "Embedder", "Trainer"}),
        ("preprocessing/decode.py", {"ExampleGen", "Transform", "Embedder", "Trainer"}),
        ("preprocessing/formats.py", {"ExampleGen", "Transform", "Embedder", "Trainer"}),
        ("components/embedder/shards.py", {"Embedder"}),
        ("components/example_gen/splits.py", {"ExampleGen"}),
        ("components/example_gen/screen.py", {"ExampleGen"}),
        ("components/pusher/publish.py", set()),
    ],
)
def test_a_changed_line_counts_for_what_depends_on_it(copy, file, expected):
    assert changed(copy, file) == expected


def test_the_digest_does_not_depend_on_where_the_code_lies(copy):
    assert {name: digest_code(name, copy) for name in CODE_OF} == {
        name: digest_code(name) for name in CODE_OF
    }


def test_every_place_named_exists():
    places = [ROOT / place for names in CODE_OF.values() for place in names]
    assert [place for place in places if not place.exists()] == []
