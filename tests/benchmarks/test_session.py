import pytest

from benchmarks.speed.estimate import estimate
from benchmarks.speed.jobs import Job
from benchmarks.speed.runs import read_runs
from benchmarks.speed.session import Session
from benchmarks.speed.workplace import Workplace


@pytest.fixture
def session(tmp_path):
    def make(earlier=(), **limits):
        place = Workplace(tmp_path, tmp_path / "pictures", "backbone")
        return Session(place, tmp_path / "runs.jsonl", earlier, 0.01, **limits)

    return make


HELP = Job("graft-help", 0, 0, 1)
KERAS = [Job("keras", 5000, 40, repeat) for repeat in (1, 2)]


def test_a_run_is_written_down_when_it_has_ended(session, tmp_path):
    assert session().run([HELP]) == []
    (run,) = read_runs(tmp_path / "runs.jsonl")
    assert (run.job, run.failure) == (HELP, "")
    assert 0 < run.usage.wall_s < 5
    assert len(run.details["walls_s"]) == 5


def test_what_is_done_is_not_run_again(session, run):
    assert session([run("graft-help")]).todo([HELP, *KERAS]) == KERAS


def test_what_failed_is_run_again(session, run):
    assert session([run("graft-help", failure="exit code 1")]).todo([HELP]) == [HELP]


def test_what_does_not_fit_into_the_budget_is_left_out(session, tmp_path):
    assert session(budget_s=60).run([KERAS[0], HELP]) == [KERAS[0]]
    assert [run.job for run in read_runs(tmp_path / "runs.jsonl")] == [HELP]


def test_what_takes_long_is_not_repeated(session):
    assert session(long_s=600).todo(KERAS) == KERAS[:1]


def test_a_contender_without_its_input_fails_alone(session, tmp_path):
    (tmp_path / "pictures").mkdir()
    session().run([Job("floor", 10, 0, 1), HELP])
    floor, help_ = read_runs(tmp_path / "runs.jsonl")
    assert floor.failure == f"ValueError: no pictures in class folders: {tmp_path / 'pictures'}"
    assert help_.failure == ""


def test_a_run_is_expected_to_take_as_long_as_before(run):
    earlier = [run("keras", 5000, 40, 1, wall=1000.0), run("keras", 5000, 40, 2, wall=1200.0)]
    assert estimate(Job("keras", 5000, 40, 3), earlier, 0.01) == 1100.0


def test_the_floor_tells_what_a_pass_takes(run):
    job = Job("keras", 5000, 40, 1)
    fast, slow = [run("floor", 1000, wall=13.0)], [run("floor", 1000, wall=33.0)]
    assert estimate(job, slow, 0.01) > 3 * estimate(job, fast, 0.01)
