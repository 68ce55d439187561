"""`graft predict` with a model's folder: what it says, on which stream, with which exit code."""

import json
import os
import subprocess
import sys

import pytest

from pipeline.cli import main
from tests.serving.conftest import ROOT

# Runs graft, and says its exit code and whether it has imported TensorFlow.
ASK = """
import sys
from pipeline.cli import main
code = main(sys.argv[1:])
print(code, "tensorflow" in sys.modules)
"""


@pytest.fixture
def graft(capfd):
    def call(*arguments):
        capfd.readouterr()
        code = main([*map(str, arguments)])
        return code, *capfd.readouterr()

    return call


@pytest.fixture
def pictures(tmp_path, picture):
    folder = tmp_path / "pictures" / "red"
    folder.mkdir(parents=True)
    (folder / "a.png").write_bytes(picture([250, 0, 0]))
    (folder / "b.png").write_bytes(b"none")
    return folder.parent


def test_the_output_and_what_was_set_aside_are_named(graft, colours_model, pictures, tmp_path):
    output = tmp_path / "out.csv"
    code, out, err = graft(
        "predict", colours_model, pictures, "-o", output, "--max-unreadable", "0.5"
    )
    assert code == 0, err
    assert out == (
        f"{output}: 1 of 2 rows predicted\n"
        f"  Model      {colours_model}\n"
        f"  Set aside  1, with reasons: {output}.quarantine.jsonl\n"
    )
    assert err.startswith("Loading TensorFlow: started\n")
    assert "\nPredict: started\n" in err
    assert "\nPredict: finished after " in err


def test_with_json_the_report_can_be_read_by_programs(graft, colours_model, pictures, tmp_path):
    output = tmp_path / "out.jsonl"
    options = ("-o", output, "--max-unreadable", "1", "--json")
    code, out, err = graft("predict", colours_model, pictures, *options)
    assert code == 0, err
    assert json.loads(out) == {
        "model": str(colours_model),
        "newest_of": None,
        "output": str(output),
        "rows": 2,
        "predicted": 1,
        "set_aside": 1,
        "quarantine": f"{output}.quarantine.jsonl",
        "resumed_rows": 0,
    }


def test_too_much_that_cannot_be_read_fails_with_one(graft, colours_model, pictures, tmp_path):
    code, out, err = graft("predict", colours_model, pictures, "-o", tmp_path / "out.csv")
    assert (code, out) == (1, "")
    assert "graft: 1 of 2 rows cannot be used, more than --max-unreadable 0.05 allows.\n" in err


def test_a_mistake_is_answered_with_two_and_one_error(graft, colours_model, tmp_path):
    code, out, err = graft("predict", colours_model, tmp_path / "none", "-o", "out.parquet")
    assert (code, out) == (2, "")
    assert err.splitlines()[:2] == [
        "graft: The input does not exist",
        f"  Received: '{tmp_path}/none'",
    ]


@pytest.mark.parametrize("wrong", ["model", "input", "output", "suffix"])
def test_a_wrong_path_is_answered_before_tensorflow_is_imported(tmp_path, wrong):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "saved_model.pb").touch()
    (tmp_path / "pictures").mkdir()
    (tmp_path / "there.csv").touch()
    model = "none" if wrong == "model" else "model"
    source = "none" if wrong == "input" else "pictures"
    output = {"output": "there.csv", "suffix": "out.xlsx"}.get(wrong, "out.csv")
    done = subprocess.run(
        [sys.executable, "-c", ASK, "predict", model, source, "-o", output],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "2 False\n"
    assert done.stderr.startswith("graft: The ") or wrong == "suffix"
    assert "Loading" not in done.stderr
    assert not (tmp_path / "out.csv.parts").exists()


def test_a_server_writes_no_output(graft):
    code, _, err = graft("predict", "http://127.0.0.1:1/v1/models/m", "a.jpg", "-o", "out.csv")
    assert (code, err) == (
        2,
        "graft: --output is for a model's folder, not for a server\n  See: graft predict --help\n",
    )


@pytest.mark.parametrize(
    "options",
    [("--keep", "brand"), ("--max-unreadable", "0.5"), ("--overwrite",), ("--kind", "csv")],
)
def test_what_is_for_a_folder_is_not_overlooked_with_a_server(graft, options):
    code, _, err = graft("predict", "http://127.0.0.1:1/v1/models/m", "a.jpg", *options)
    assert (code, err) == (
        2,
        f"graft: {options[0]} is for a model's folder, not for a server\n"
        "  See: graft predict --help\n",
    )


@pytest.mark.parametrize(
    "options",
    [("--text", "hi"), ("--input", "a=1"), ("--name", "m"), ("--signature", "serving_default")],
)
def test_what_is_for_a_server_is_not_overlooked_with_a_folder(graft, colours_model, options):
    code, _, err = graft("predict", colours_model, "a", "-o", "c.csv", *options)
    assert (code, err) == (
        2,
        f"graft: {options[0]} is for a server, not for a model's folder\n"
        "  See: graft predict --help\n",
    )


@pytest.mark.parametrize("arguments", [("input",), ("a", "b", "-o", "c.csv"), ("-o", "c.csv")])
def test_a_folder_needs_one_input_and_an_output(graft, colours_model, arguments):
    code, _, err = graft("predict", colours_model, *arguments)
    assert (code, err) == (
        2,
        "graft: A model's folder needs one INPUT and --output\n  See: graft predict --help\n",
    )
