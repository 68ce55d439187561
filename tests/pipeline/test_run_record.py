"""What is known of a run that was begun, and how it ended."""

import os
import subprocess

import pytest

from pipeline.config import load_config
from pipeline.run_record import (
    BEGUN,
    SUMMARY,
    differences,
    folder_of,
    is_alive,
    list_runs,
    write_begun,
)

CONFIG = """\
name: flowers
data: {source: {kind: image_folder, path: .}}
features:
  image: {kind: image, backbone: "hub:small"}
"""


@pytest.fixture
def config(tmp_path):
    (tmp_path / "flowers.yaml").write_text(CONFIG)
    return load_config(tmp_path / "flowers.yaml")


def begin(config, run_id, resumed=None):
    return write_begun(config, run_id, cache=True, rebaseline=False, resumed=resumed)


def end(config, run_id, text):
    (folder_of(config.workdir, run_id) / SUMMARY).write_text(text)


def test_a_folder_without_runs_has_none(tmp_path):
    assert list_runs(tmp_path / "nowhere") == []


def test_what_is_written_is_read_and_says_who_runs_what(config):
    begun = begin(config, "a")
    assert [run.begun for run in list_runs(config.workdir)] == [begun]
    assert begun.pid == os.getpid()
    assert begun.config_digest == config.digest
    assert begun.config["workdir"] == config.workdir


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        (None, "killed"),
        ("{ half", "killed"),
        ('{"failure": "OSError: no space left"}', "failed"),
        ('{"failure": "KeyboardInterrupt"}', "stopped"),
        ('{"failure": null}', "through"),
        ('{"run_id": "a"}', "through"),
    ],
)
def test_its_summary_says_how_a_run_ended(config, text, ending):
    begin(config, "a")
    if text is not None:
        end(config, "a", text)
    assert [run.ending for run in list_runs(config.workdir)] == [ending]


def test_runs_come_in_the_order_in_which_they_were_begun(config):
    for run_id in ("b", "c", "a"):
        begin(config, run_id)
    assert [run.begun.run_id for run in list_runs(config.workdir)] == ["b", "c", "a"]


def test_a_run_knows_the_runs_that_it_went_on_with(config):
    begin(config, "a")
    begin(config, "b", resumed="a")
    begin(config, "c", resumed="b")
    begin(config, "d")
    chains = [run.chain for run in list_runs(config.workdir)]
    assert chains == [("a",), ("b", "a"), ("c", "b", "a"), ("d",)]


def test_what_cannot_be_read_is_left_out(config):
    begin(config, "a")
    (folder_of(config.workdir, "a") / BEGUN).write_text("{ half")
    end_only = folder_of(config.workdir, "old")
    end_only.mkdir()
    (end_only / SUMMARY).write_text("{}")
    assert list_runs(config.workdir) == []


def test_changed_added_and_removed_keys_are_told_apart():
    before = {"train": {"epochs": 40, "head": {"hidden": [8]}}, "push": {"keep": 3}, "name": "a"}
    now = {"train": {"epochs": 20, "head": {"hidden": [8]}}, "push": None, "name": "a"}
    assert differences(before, now) == {
        "train.epochs": ("40", "20"),
        "push.keep": ("3", "nothing"),
        "push": ("nothing", "null"),
    }
    assert differences(before, before) == {}


def test_a_run_is_alive_as_long_as_its_process_and_no_later_one_of_its_number(config):
    begun = begin(config, "a")
    assert is_alive(begun)
    assert not is_alive(begun.model_copy(update={"process_started": begun.process_started - 1}))
    assert not is_alive(begun.model_copy(update={"host": "another"}))
    # One that was begun before this was noted.
    assert is_alive(begun.model_copy(update={"process_started": None}))


def test_a_process_that_has_ended_is_not_alive_even_before_anybody_took_note(config):
    begun = begin(config, "a").model_copy(update={"process_started": None})
    with subprocess.Popen(["sleep", "60"]) as process:
        assert is_alive(begun.model_copy(update={"pid": process.pid}))
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not is_alive(begun.model_copy(update={"pid": process.pid}))
    assert not is_alive(begun.model_copy(update={"pid": process.pid}))
