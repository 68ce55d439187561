import json

from benchmarks.speed.chart import write_chart
from benchmarks.speed.jobs import Plan
from benchmarks.speed.report import write_report

PLAN = Plan(sizes=[1000], texts=[], epochs=[5], repeats=1)
FACTS = {"processor": "a fast one", "packages": {"tfx": "1.16.0"}}


def report(runs, tmp_path):
    return write_report(runs, PLAN.jobs(), FACTS, tmp_path)


def rows(text):
    return [line for line in text.splitlines() if line.startswith("| ")]


def test_what_was_not_run_says_so(run, tmp_path):
    text = report([run("floor", 1000, wall=12.0)], tmp_path)
    assert "| floor | 1,000 pictures |  | 1 | 12.0 | 12.5 | 1,000 | 2 | 5 |" in rows(text)
    assert "| stock TFX | 1,000 pictures | 5 | 0 | not run | | | | |" in rows(text)
    assert "| stock TFX ÷ graft, 1k, 5 epochs | ≥ 3 | not run |  |" in rows(text)


def test_targets_say_whether_they_are_reached(run, tmp_path):
    runs = [run("floor", 1000, wall=10.0), run("graft-cold", 1000, 5, wall=60.0)]
    assert "| graft cold − floor, 1k | ≤ 45 s | 50.00 s | not reached |" in rows(
        report(runs, tmp_path)
    )


def test_machine_and_versions_stand_above_the_figures(tmp_path):
    assert report([], tmp_path).startswith(
        "| | |\n|---|---|\n| processor | a fast one |\n| packages | tfx 1.16.0 |\n"
    )


def test_components_have_seconds_and_cpu_seconds(run, tmp_path):
    components = [
        {"name": "Embedder", "seconds": 7.0, "cpu_seconds": 13.0, "state": "run"},
        {"name": "Transform", "seconds": 0.1, "cpu_seconds": 0.1, "state": "cached"},
    ]
    one = run("graft-cold", 1000, 5, wall=10.0, details={"components": components})
    text = report([one], tmp_path)
    assert "| Embedder | 7.0 / 13.0 |" in rows(text)
    assert "| Transform | 0.1 / 0.1 cached |" in rows(text)
    assert "| imports, start and end | 2.9 |" in rows(text)


def test_vectors_that_were_kept_are_told_from_those_computed(run, tmp_path):
    vectors = {"image": {"new": 512, "kept": 488, "duplicates": 0, "recomputed": 0}}
    details = {"vectors": vectors, "killed_at": [500, 1000], "before_s": 20.0}
    text = report([run("graft-killed", 1000, 5, details=details)], tmp_path)
    title = "graft, again after kill -9 at half, 1,000, 5 epochs"
    assert f"| {title} | 500 of 1,000 | 512 | 488 | 0 |" in rows(text)
    assert "| 1.0, killed after 20.0 | " in text


def test_bytes_are_told_in_shares_of_the_input(run, tmp_path):
    one = run("graft-cold", 1000, 5, details={"left": {"a": 1_000_000, "b": 4_000_000}})
    assert "| graft, cold, 1,000, 5 epochs | 10.0 | 0.50 | 0.20 | b 0.40, a 0.10 |" in rows(
        report([one], tmp_path)
    )


def test_a_failed_run_is_named_and_does_not_count(run, tmp_path):
    text = report([run("floor", 1000, failure="exit code 1, see x.log")], tmp_path)
    assert "- floor, 1,000, repeat 1: exit code 1, see x.log" in text
    assert "| floor | 1,000 pictures |  | 0 | not run | | | | |" in rows(text)


def test_the_json_has_every_single_value(run, tmp_path):
    report([run("floor", 1000, 0, repeat, float(repeat)) for repeat in (1, 2, 3)], tmp_path)
    content = json.loads((tmp_path / "results.json").read_text())
    (floor,) = (row for row in content["runs"] if row["contender"] == "floor")
    assert floor["wall_s"] == [1.0, 2.0, 3.0]
    assert {one["outcome"] for one in content["targets"]} == {"not run"}


def test_the_picture_shows_what_was_run(run, tmp_path):
    runs = [
        run("floor", 1000, wall=10.0),
        run("graft-cold", 1000, 5, wall=40.0),
        run("graft-cold", 5000, 5, 1, wall=70.0),
        run("graft-cold", 5000, 5, 2, wall=80.0),
    ]
    assert write_chart(runs, tmp_path / "speed.svg")
    assert "<svg" in (tmp_path / "speed.svg").read_text()


def test_there_is_no_picture_of_nothing(run, tmp_path):
    assert not write_chart([run("graft-help")], tmp_path / "speed.svg")
    assert not (tmp_path / "speed.svg").exists()
