import pytest

from benchmarks.speed.figures import Figure, Runs
from benchmarks.speed.targets import TARGETS, check


def outcomes(*runs):
    return {one.target.title: one for one in check(Runs(runs))}


def test_without_runs_no_target_is_said_to_be_reached():
    assert {one.word for one in check(Runs([]))} == {"not run"}


def test_a_ratio_at_its_limit_is_reached_and_one_above_is_not(run):
    title = "graft cold ÷ floor, 20k, 5 epochs"
    floor = run("floor", 20000, wall=100.0)
    assert outcomes(floor, run("graft-cold", 20000, 5, wall=130.0))[title].word == "reached"
    assert outcomes(floor, run("graft-cold", 20000, 5, wall=131.0))[title].word == "not reached"


def test_a_ratio_that_must_be_large_is_not_reached_below_its_limit(run):
    title = "keras script ÷ graft, 5k, 40 epochs"
    graft = run("graft-cold", 5000, 40, wall=100.0)
    assert outcomes(graft, run("keras", 5000, 40, wall=499.0))[title].word == "not reached"
    assert outcomes(graft, run("keras", 5000, 40, wall=501.0))[title].word == "reached"


def test_ratios_are_of_runs_of_the_same_repeat(run):
    pairs = [(100.0, 20.0), (200.0, 40.0), (300.0, 90.0)]
    runs = [
        one
        for repeat, (cold, warm) in enumerate(pairs, 1)
        for one in (
            run("graft-cold", 5000, 5, repeat, cold),
            run("graft-warm", 5000, 5, repeat, warm),
        )
    ]
    figure = outcomes(*runs)["warm with another head ÷ cold, 5k"].figure
    assert figure.values == pytest.approx((0.2, 0.2, 0.3))
    assert figure.median == pytest.approx(0.2)


def test_a_repeat_that_lacks_one_of_both_is_left_out(run):
    runs = [run("graft-cold", 1000, 5, 1, 60.0), run("floor", 1000, 0, 2, 20.0)]
    assert outcomes(*runs)["graft cold − floor, 1k"].word == "not run"


def test_new_data_counts_beyond_what_any_run_costs(run):
    runs = [
        run("graft-new", 20000, 5, wall=70.0),
        run("graft-fixed", 0, 5, wall=50.0),
        run("graft-cold", 20000, 5, wall=200.0),
    ]
    figure = outcomes(*runs)["(1 % new data − fixed costs) ÷ cold, 20k"].figure
    assert figure.median == pytest.approx(0.1)


def test_the_fewest_epochs_stand_for_a_run_where_epochs_are_not_named(run):
    runs = [run("graft-cold", 20000, 40, peak=9000.0), run("graft-cold", 20000, 5, peak=1500.0)]
    assert outcomes(*runs)["peak memory, 20k"].figure.median == 1500.0


def test_bytes_are_shares_of_the_input(run):
    one = run("graft-cold", 20000, 5, inputs=100, left=70)
    outcome = outcomes(one)["bytes left on disk ÷ input bytes, 20k"]
    assert (outcome.figure.median, outcome.word) == (0.7, "not reached")


def test_titles_are_unique():
    assert len({one.title for one in TARGETS}) == len(TARGETS)


def test_a_figure_tells_its_spread_where_it_has_one():
    assert Figure((2.0,)).text() == "2.0"
    assert Figure((3.0, 1.0, 2.0)).text() == "2.0 (1.0–3.0)"
    assert Figure((1200.0, 1400.0)).text(0) == "1,300 (1,200–1,400)"
