"""Remember and LastBlessed, from one run to the next."""

import pytest
from tfx.types import standard_artifacts

from pipeline.blessed.component import LastBlessed, LastBlessedSpec, Remember
from pipeline.blessed.executor import LastBlessed as Find
from pipeline.blessed.executor import Remember as Note
from pipeline.kubeflow_task.invocation import ABSENT, AT
from pipeline.kubeflow_task.places import MOUNTS_VARIABLE


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "blessed")


@pytest.fixture
def remember(tmp_path, folder):
    """Has a model remembered, whose artifacts lie below a folder; gives that of the model."""

    def run(place="run", blessed=1, infra=1):
        kinds = {
            "model": standard_artifacts.Model(),
            "model_blessing": standard_artifacts.ModelBlessing(),
            "model_run": standard_artifacts.ModelRun(),
            "infra_blessing": standard_artifacts.InfraBlessing(),
        }
        for name, artifact in kinds.items():
            artifact.uri = str(tmp_path / place / name)
            (tmp_path / place / name).mkdir(parents=True)
        (tmp_path / place / "model" / "Format-Serving").mkdir()
        (tmp_path / place / "model" / "Format-Serving" / "saved_model.pb").write_text(place)
        kinds["model_blessing"].set_int_custom_property("blessed", blessed)
        kinds["infra_blessing"].set_int_custom_property("blessed", infra)
        Note().Do({name: [one] for name, one in kinds.items()}, {}, {"folder": folder})
        return kinds["model"].uri

    return run


@pytest.fixture
def found(folder):
    """What LastBlessed says of its outputs."""

    def run():
        outputs = {name: [one.type()] for name, one in LastBlessedSpec.OUTPUTS.items()}
        Find().Do({}, outputs, {"folder": folder, "push_path": ""})
        return {
            name: one.get_string_custom_property(AT) or one.get_int_custom_property(ABSENT)
            for name, (one,) in outputs.items()
        }

    return run


def test_before_the_first_blessing_there_is_none(found):
    names = ("model", "model_blessing", "model_run", "infra_blessing")
    assert found() == dict.fromkeys(names, 1)


def test_a_blessed_model_is_the_next_baseline_where_it_lies(remember, found):
    remember("first")
    model = remember("second")
    assert found() == {
        name: model.replace("/second/model", f"/second/{name}")
        for name in ("model", "model_blessing", "model_run", "infra_blessing")
    }


@pytest.mark.parametrize("verdict", [{"blessed": 0}, {"infra": 0}])
def test_a_model_that_was_refused_is_not(remember, found, verdict):
    model = remember("first")
    remember("second", **verdict)
    assert found()["model"] == model


def test_what_lies_where_the_next_run_cannot_look_is_copied(
    remember, found, tmp_path, folder, monkeypatch
):
    monkeypatch.setenv(MOUNTS_VARIABLE, str(tmp_path))
    remember("minio/bucket/run")
    copied = found()["model"]
    assert copied.startswith(f"{folder}/")
    with open(f"{copied}/Format-Serving/saved_model.pb") as file:
        assert file.read() == "minio/bucket/run"


def test_the_gate_takes_what_last_blessed_gives(folder):
    baseline = LastBlessed(folder)
    made = {name: baseline.outputs[name] for name in ("model", "model_run")}
    node = Remember(folder, **made, blessing=baseline.outputs["model_blessing"])
    assert set(node.inputs) == {"model", "model_run", "model_blessing"}
    assert node.exec_properties == {"folder": folder}
