from benchmarks.speed.jobs import BY_NAME, Plan, unknown
from benchmarks.speed.start import STARTS


def keys(**what):
    plan = {"sizes": [1000], "texts": [], "epochs": [5, 40], "repeats": 1} | what
    return [job.key for job in Plan(**plan).jobs()]


def test_every_contender_can_be_started():
    assert STARTS.keys() == BY_NAME.keys()


def test_contenders_take_turns_within_a_repeat():
    assert keys(repeats=2, contenders=["floor", "keras"]) == [
        "floor/1000/0/1",
        "keras/1000/5/1",
        "keras/1000/40/1",
        "floor/1000/0/2",
        "keras/1000/5/2",
        "keras/1000/40/2",
    ]


def test_a_family_has_all_its_variants():
    families = {key.split("/")[0] for key in keys(contenders=["graft"])}
    assert families == {name for name in BY_NAME if name.startswith("graft-")}


def test_what_builds_on_the_cold_run_comes_after_it():
    order = [key.split("/")[0] for key in keys()]
    assert order.index("graft-cold") < order.index("graft-warm") < order.index("graft-new")


def test_slow_contenders_end_where_others_go_on():
    assert "stock/5000/5/1" not in keys(sizes=[5000])
    assert "keras/20000/5/1" not in keys(sizes=[20000])
    assert "graft-cold/20000/40/1" in keys(sizes=[20000])
    assert "stock/5000/5/1" in keys(sizes=[5000], everywhere=True)


def test_texts_are_run_where_there_are_some():
    assert not any(key.startswith("texts") for key in keys())
    assert "texts-graft/10000/5/1" in keys(texts=[10000])


def test_a_name_that_means_nothing_is_found():
    assert unknown(["graft", "stock", "texts-floor"]) == []
    assert unknown(["graft", "pytorch"]) == ["pytorch"]
