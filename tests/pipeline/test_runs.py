"""What `graft runs` lists, of real run folders."""

import io
import json
import os
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from pipeline.config import load_config
from pipeline.run_record import write_begun
from pipeline.runs import find_runs, render_runs
from pipeline.summary import Pushed, SpanUse, Summary, write_summary
from preprocessing.errors import UsageError


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "flowers.yaml"
    source = {"kind": "image_folder", "path": "data/{SPAN}"}
    features = {"image": {"kind": "image", "backbone": "hub:https://example.com/one"}}
    content = {"name": "flowers", "data": {"source": source}, "features": features}
    path.write_text(yaml.safe_dump(content))
    return load_config(path)


def leave(config, run_id, **more):
    config = config.model_copy(update={"name": more.pop("name", config.name)})
    write_begun(config, run_id, cache=True, rebaseline=False, resumed=None)
    if not more:
        return
    known = {
        **{"run_id": run_id, "name": "flowers", "config_digest": "d", "stack": {}, "log": "log"},
        **{"seconds": 1.0, "components": (), "examples": {}, "blessed": False, "reasons": ()},
    }
    write_summary(Summary(**known | more), f"{config.workdir}/runs/{run_id}/summary.json")


def test_each_run_says_its_spans_figure_and_version(config):
    spans = [SpanUse(span=n, name=str(n), examples=50, state="new") for n in (6, 7)]
    leave(
        config,
        "r1",
        examples={"train": 80, "eval": 20},
        spans=spans,
        metrics={"eval": {"accuracy": 0.91}},
        blessed=True,
        pushed=Pushed(path="p", version=12),
    )
    leave(config, "r2", examples={"train": 9}, metrics={"eval": {"accuracy": 0.5}})
    leave(config, "r3", failure="no data")
    leave(config, "r4")
    begun = Path(config.workdir) / "runs" / "r4" / "begun.json"
    begun.write_text(begun.read_text().replace(f'"pid": {os.getpid()}', '"pid": 99999999'))
    leave(config, "r5")
    lines = find_runs(str(config.base / "flowers.yaml"))
    assert [one.ending for one in lines] == ["through", "through", "failed", "killed", "going on"]
    assert json.loads(lines[0].model_dump_json())["spans"] == ["6", "7"]
    assert find_runs(config.workdir) == find_runs(str(config.base)) == lines
    shown = io.StringIO()
    render_runs(lines, Console(file=shown, width=100))
    assert [line.split() for line in shown.getvalue().splitlines()] == [
        ["Run", "Spans", "Examples", "On", "eval", "Ended", "Version"],
        ["r1", "6,", "7", "100", "accuracy", "0.910", "blessed", "12"],
        ["r2", "9", "accuracy", "0.500", "not", "blessed", "-"],
        ["r3", "-", "-", "failed", "-"],
        ["r4", "-", "-", "killed", "-"],
        ["r5", "-", "-", "going", "on", "-"],
    ]


def rows(config):
    shown = io.StringIO()
    render_runs(find_runs(config.workdir), Console(file=shown, width=100))
    return [line.split() for line in shown.getvalue().splitlines()]


def test_pipelines_that_share_a_working_folder_are_told_apart(config):
    for run_id, name in (("r1", "flowers"), ("r2", "shrubs")):
        leave(config, run_id, name=name, failure="no data")
    assert rows(config) == [
        ["Run", "Pipeline", "Examples", "On", "eval", "Ended", "Version"],
        ["r1", "flowers", "-", "-", "failed", "-"],
        ["r2", "shrubs", "-", "-", "failed", "-"],
    ]


def test_a_long_window_is_said_by_its_ends(config):
    spans = [SpanUse(span=n, name=str(n), examples=50, state="new") for n in range(3, 33)]
    leave(config, "r1", spans=spans)
    assert rows(config)[1][:5] == ["r1", "3", "…", "32", "(30)"]


def test_a_folder_without_runs_is_refused(tmp_path):
    with pytest.raises(UsageError) as caught:
        find_runs(str(tmp_path))
    assert str(caught.value) == (
        "There are no runs: none was begun here, or this is no config and no working folder\n"
        f"  Received: '{tmp_path}'\n  See: graft runs --help"
    )
