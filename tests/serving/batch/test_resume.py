"""What an unfinished run has left is only gone on with where it fits."""

import json
import resource
import subprocess
import sys

import pytest

from components.example_gen.rows import Quarantined
from preprocessing.errors import QuarantineError, UsageError
from serving.batch import run
from serving.batch.parts import Parts, begin, put_together

# Holds a lock as a run at work does, until its standard input ends.
HOLD = """
import fcntl, sys
with open(sys.argv[1], "a") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.read()
"""
GRAFT = "import sys; from pipeline.cli import main; sys.exit(main())"


@pytest.fixture
def unfinished(prices_model, table, predict):
    """A run that stopped at an unusable row, with one shard done."""

    def run(*rows):
        goods = table(*rows)
        with pytest.raises(QuarantineError):
            predict(prices_model("multiclass"), goods, shard_rows=2, max_unreadable=0)
        return goods

    return run


@pytest.mark.parametrize(
    ("changed", "model", "rows", "options"),
    [
        ("model", "binary", (1, 2, "?,"), {}),
        ("input", "multiclass", (1, 3, "?,"), {}),
        ("input and options", "multiclass", (1, 2, "?,", 4), {"shard_rows": 3}),
    ],
)
def test_what_was_made_of_something_else_is_not_mixed_in(
    unfinished, prices_model, table, predict, tmp_path, changed, model, rows, options
):
    unfinished(1, 2, "?,")
    options = {"shard_rows": 2, "max_unreadable": 0.5, **options}
    if model == "binary":
        # It has another order of classes, which alone would be told as options.
        changed = "model and options"
    goods = table(*rows)
    with pytest.raises(UsageError) as caught:
        predict(prices_model(model), goods, **options)
    assert str(caught.value) == (
        f"An unfinished run has left predictions of another {changed}; go on with that, or "
        f"start again with --overwrite\n  Received: '{tmp_path}/out.jsonl.parts'"
    )
    report, lines = predict(prices_model(model), goods, overwrite=True, **options)
    assert (report.resumed_rows, len(lines)) == (0, len(rows) - 1)


def test_a_row_that_was_mended_is_another_input(unfinished, prices_model, table, predict):
    unfinished(1, 2, "?,")
    with pytest.raises(UsageError, match="of another input;"):
        predict(prices_model("multiclass"), table(1, 2, 3), shard_rows=2)


def test_an_output_that_exists_is_only_replaced_when_asked(prices_model, table, predict, tmp_path):
    predict(prices_model("regression"), table(1))
    with pytest.raises(UsageError) as caught:
        predict(prices_model("regression"), table(2))
    assert str(caught.value) == (
        f"The output exists; replace it with --overwrite\n  Received: '{tmp_path}/out.jsonl'"
    )
    assert json.loads((tmp_path / "out.jsonl").read_text())["value"] == 1.0
    _, rows = predict(prices_model("regression"), table(2), overwrite=True)
    assert [row["value"] for row in rows] == [4.0]


def test_an_output_that_cannot_be_written_is_refused(prices_model, table, predict, tmp_path):
    goods = table(1)
    with pytest.raises(UsageError) as caught:
        predict(prices_model("regression"), goods, "goods.csv/out.csv")
    first, second = str(caught.value).splitlines()
    assert first.startswith("The output cannot be written: ")
    assert second == f"  Received: '{tmp_path}/goods.csv/out.csv'"


def test_a_suffix_that_names_no_format_is_refused(prices_model, table, predict, tmp_path):
    with pytest.raises(UsageError) as caught:
        predict(prices_model("regression"), table(1), "out.json")
    assert str(caught.value) == (
        "--output: the suffix must name a format\n"
        f"  Received: '{tmp_path}/out.json'\n"
        "  Valid: .parquet, .jsonl, .csv"
    )


@pytest.mark.parametrize("known", [True, False])
def test_parts_of_another_or_of_an_unknown_run_are_dropped_whatever_their_name(tmp_path, known):
    parts = Parts(str(tmp_path / "preds[v1].csv"), ".csv")
    begin(parts, {"model": "A"}, overwrite=False)
    parts.finish(0, lambda file: file.write(b"of A"), [])
    if not known:
        (tmp_path / "preds[v1].csv.parts" / "state.json").unlink()
    begin(parts, {"model": "B"}, overwrite=known)
    assert not parts.is_done(0)


def test_what_a_killed_part_had_set_aside_does_not_count_once_it_is_done(tmp_path):
    parts = Parts(str(tmp_path / "out.csv"), ".csv")
    begin(parts, {}, overwrite=False)
    broken = [Quarantined("goods.csv:2", "the disk was away")]

    def be_killed(file):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        parts.finish(0, be_killed, broken)
    assert not parts.is_done(0)
    parts.finish(0, lambda file: file.write(b"whole"), [])
    assert list(parts.set_aside(1)) == []


def test_the_list_of_what_is_set_aside_is_there_when_the_output_appears(
    prices_model, table, predict, tmp_path, monkeypatch
):
    listed = []

    def note(parts, count, join):
        listed.append((tmp_path / "out.jsonl.quarantine.jsonl").exists())
        put_together(parts, count, join)

    monkeypatch.setattr(run, "put_together", note)
    predict(prices_model("regression"), table(1, "?,"), max_unreadable=0.5)
    assert listed == [True]


def test_two_runs_do_not_write_the_same_output(prices_model, table, predict, tmp_path):
    parts = tmp_path / "out.jsonl.parts"
    parts.mkdir()
    command = [sys.executable, "-c", HOLD, str(parts / ".lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(UsageError) as caught:
            predict(prices_model("regression"), table(1))
    assert str(caught.value) == (
        "Another run is writing this output; wait for it, or name another file\n"
        f"  Received: '{tmp_path}/out.jsonl'"
    )
    assert predict(prices_model("regression"), table(1))[0].predicted == 1


@pytest.mark.slow
def test_without_room_the_run_says_so_and_goes_on_when_there_is(prices_model, table, tmp_path):
    source = table(*range(300))
    output = tmp_path / "large.jsonl"
    arguments = ["predict", prices_model("multiclass"), str(source), "-o", str(output)]
    command = [sys.executable, "-c", GRAFT, *arguments, "--shard-rows", "100"]

    def little_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (25_000, 25_000))

    full = subprocess.run(command, capture_output=True, text=True, preexec_fn=little_room)
    assert full.returncode == 1, full.stderr
    assert f"  Where: {output}\n" in full.stderr
    assert "The predictions cannot be written: " in full.stderr
    assert "  What is predicted is kept: make room and run again to go on\n" in full.stderr
    assert "Traceback" not in full.stderr
    assert not output.exists()

    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "  Resumed    300 rows were done already\n" in done.stdout
    assert len(output.read_text().splitlines()) == 300
