"""The code digest: a changed line counts for what depends on it, and for nothing else."""

import ast
import shutil

import pytest

from pipeline.code_digest import CODE_OF, ROOT, digest_code

# What makes a model or runs it on raw examples.
MODEL = {"Transform", "Embedder", "Vectors", "Trainer", "ServingValidator", "Exporter"}


@pytest.fixture
def copy(tmp_path):
    for package in ("components", "pipeline", "preprocessing", "trainer"):
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
        ("trainer/features.py", {"Embedder", "Vectors", "Trainer"}),
        ("trainer/head_inputs.py", {"Embedder", "Vectors", "Trainer"}),
        ("trainer/tasks/binary.py", {"Trainer"}),
        ("trainer/backbones/load.py", {"Embedder", "Vectors", "Trainer"}),
        ("preprocessing/image.py", MODEL),
        ("preprocessing/decode.py", {"ExampleGen", *MODEL}),
        ("preprocessing/formats.py", {"ExampleGen", *MODEL}),
        ("components/embedder/shards.py", {"Embedder"}),
        ("components/example_gen/splits.py", {"ExampleGen"}),
        ("components/example_gen/screen.py", {"ExampleGen"}),
        ("components/pusher/publish.py", set()),
        ("components/serving_validator/judge.py", {"ServingValidator"}),
        ("components/serving_validator/stock_ops/2.16.txt", {"ServingValidator"}),
        ("components/exporter/tfjs.js", {"Exporter"}),
        ("components/gate/verdict.py", {"Evaluator", "ModelCard"}),
        ("pipeline/card.py", {"ModelCard"}),
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


# What TFX calls by name, or makes itself, of each component.
ENTRIES = {
    "ExampleGen": (
        "components.example_gen.executor",
        "components.example_gen.screen_executor",
    ),
    "Transform": ("preprocessing.transform",),
    "Embedder": ("components.embedder.executor", "trainer.embed"),
    "Vectors": ("trainer.embed",),
    "Trainer": ("trainer.run",),
    "Evaluator": ("components.gate.executor",),
    "ServingValidator": ("components.serving_validator.executor",),
    "Exporter": ("components.exporter.executor",),
    "ModelCard": ("components.model_card.executor",),
}
# Records: a value of theirs that matters is among the component's parameters.
RECORDS = {
    "preprocessing/config.py",
    "preprocessing/inputs.py",
    "trainer/config.py",
}
# Only how things are told, not what is written.
TOLD = {"preprocessing/errors.py", "preprocessing/progress.py", "preprocessing/keras_mode.py"}


def file_of(module):
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def imports_of(module):
    """Our own modules that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(file_of(module).read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name for name in inner if file_of(name).exists()] or [node.module]
        yield from (name for name in names if name.split(".")[0] in PACKAGES)


PACKAGES = ("components", "preprocessing", "trainer")


@pytest.mark.parametrize("component", ENTRIES)
def test_everything_that_a_component_imports_counts_for_it(component):
    seen, found = set(), list(ENTRIES[component])
    while found:
        module = found.pop()
        if module not in seen:
            seen.add(module)
            found += imports_of(module)
    files = {file_of(module).relative_to(ROOT).as_posix() for module in seen}
    places = CODE_OF[component]
    uncovered = {
        file
        for file in files - RECORDS - TOLD
        if not file.endswith("__init__.py")
        and not any(file == place or file.startswith(f"{place}/") for place in places)
    }
    assert uncovered == set()


def test_every_component_has_its_entry_looked_at():
    assert set(ENTRIES) == set(CODE_OF)
