from benchmarks.speed.runs import append_run, finished, read_runs


def test_what_is_appended_is_read_again(run, tmp_path):
    file = tmp_path / "deep" / "runs.jsonl"
    runs = [
        run("floor", 1000, details={"examples": 1000}),
        run("graft-cold", 1000, 5, failure="no"),
    ]
    for one in runs:
        append_run(one, file)
    assert read_runs(file) == runs


def test_a_line_that_was_cut_short_costs_that_run_alone(run, tmp_path):
    file = tmp_path / "runs.jsonl"
    append_run(run("floor", 1000), file)
    file.write_text(file.read_text() + '{"job": {"contender": "flo')
    append_run(run("floor", 5000), file)
    assert [one.job.size for one in read_runs(file)] == [1000, 5000]


def test_there_are_no_runs_without_a_file(tmp_path):
    assert read_runs(tmp_path / "runs.jsonl") == []


def test_a_failed_run_is_not_finished_and_the_last_good_one_counts(run):
    runs = [
        run("floor", 1000, failure="killed"),
        run("floor", 1000, wall=2.0),
        run("floor", 1000, wall=3.0),
    ]
    assert finished(runs[:1]) == {}
    assert finished(runs)["floor/1000/0/1"].usage.wall_s == 3.0
