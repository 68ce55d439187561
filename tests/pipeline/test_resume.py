"""Which run is gone on with, and what is said of it."""

import pytest

from pipeline.config import load_config
from pipeline.resume import HowFar, describe, describe_changes, find_resumable
from pipeline.run_record import SUMMARY, folder_of, write_begun
from preprocessing.errors import UsageError

CONFIG = """\
name: flowers
data: {source: {kind: image_folder, path: .}}
features:
  image: {kind: image, backbone: "hub:small"}
"""


@pytest.fixture
def load(tmp_path):
    (tmp_path / "flowers.yaml").write_text(CONFIG)
    return lambda *overrides: load_config(tmp_path / "flowers.yaml", overrides)


def begin(config, run_id="a", *, cache=True, rebaseline=False, failure=...):
    begun = write_begun(config, run_id, cache=cache, rebaseline=rebaseline, resumed=None)
    if failure is not ...:
        text = "null" if failure is None else f'"{failure}"'
        (folder_of(config.workdir, run_id) / SUMMARY).write_text(f'{{"failure": {text}}}')
    return begun


def test_the_last_run_is_gone_on_with_if_it_ended_early(load):
    begin(load(), "a", failure=None)
    begin(load(), "b", failure="OSError: no space left")
    assert find_resumable(load()).begun.run_id == "b"
    begin(load(), "c")
    past = find_resumable(load())
    assert (past.begun.run_id, past.ending) == ("c", "killed")


def test_a_run_of_another_pipeline_in_the_same_folder_is_left_alone(load):
    begin(load(), "a")
    begin(load("name=trees"), "b")
    begin(load("name=trees"), "c", failure=None)
    assert find_resumable(load()).begun.run_id == "a"
    begin(load("name=stones"), "d")
    with pytest.raises(UsageError, match="the last run of trees went through"):
        find_resumable(load("name=trees"))


def test_without_any_run_there_is_nothing_to_resume(load):
    with pytest.raises(UsageError) as error:
        find_resumable(load())
    assert str(error.value) == (
        "There is nothing to resume: no run of flowers was begun in this working folder\n"
        f"  Received: '{load().workdir}'\n"
        "  See: workdir in the config"
    )


def test_after_a_run_that_went_through_there_is_nothing_to_resume(load):
    begin(load(), "a")
    begin(load(), "b", failure=None)
    with pytest.raises(UsageError) as error:
        find_resumable(load())
    assert str(error.value) == (
        "There is nothing to resume: the last run of flowers went through\n"
        "  Received: 'b'\n"
        "  See: graft run without --resume"
    )


@pytest.mark.parametrize(
    ("far", "said"),
    [
        (HowFar(), "before its first component; no components finished"),
        (HowFar(("ExampleGen",)), "after the ExampleGen; 1 component finished"),
        (HowFar(("A", "B"), "Embedder"), "in the Embedder; 2 components finished"),
    ],
)
def test_it_is_said_where_the_run_was_ended(load, far, said):
    begin(load())
    assert describe(find_resumable(load()), far) == f"resumes run a, killed {said}"


def test_the_same_run_needs_no_words(load):
    assert describe_changes(begin(load()), load(), rebaseline=False) == []


def test_changed_keys_and_options_are_told(load):
    begun = begin(load(), cache=False, rebaseline=True)
    changed = load("train.epochs=3", "train.seed=7")
    assert describe_changes(begun, changed, rebaseline=False) == [
        "its config was another; what depends on these keys is done again:",
        "  train.epochs: 40 is now 3",
        "  train.seed: 0 is now 7",
        "it was begun with --rebaseline, this one without",
        "it was begun with --no-cache; this one takes over what earlier runs finished",
    ]


def test_of_many_changed_keys_the_first_are_told(load):
    changed = load("train.epochs=3", "train.seed=7", "train.batch_size=5", "train.patience=9")
    changed = changed.model_copy(update={"name": "other", "workdir": "/elsewhere"})
    lines = describe_changes(begin(load()), changed, rebaseline=False)
    assert len(lines) == 7
    assert lines[-1] == "  ... and 1 more"
