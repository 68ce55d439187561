"""`graft compile`: mistakes on the command line."""

import pytest

from pipeline.cli import main
from tests.pipeline.kubeflow.deployed import GOOD


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs it; gives the exit code and what is said."""
    (tmp_path / "flowers.yaml").write_text(GOOD, encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str):
        return main(["compile", "flowers.yaml", *arguments]), capsys.readouterr().err

    return run


def test_the_ending_says_what_the_platform_reads(run):
    assert run("--target", "kubeflow", "-o", "pipeline.json") == (
        2,
        "graft: --output for kubeflow has the ending .yaml\n"
        "  Received: 'pipeline.json'\n"
        "  Valid: pipeline.yaml\n"
        "  Did you mean 'pipeline.yaml'?\n",
    )


@pytest.mark.parametrize("text", ["epochs", "=5"])
def test_a_parameter_has_a_name_and_a_value(run, text):
    code, said = run("--target", "vertex", "-o", "p.json", "--parameter", text)
    assert (code, said) == (
        2,
        f"graft: --parameter takes a name and a value, such as epochs=5\n  Received: '{text}'\n",
    )


def test_an_unknown_target_is_answered_with_those_there_are(run):
    code, said = run("--target", "airflow", "-o", "p.json")
    assert code == 2
    assert "'kubeflow', 'vertex'" in said


def test_what_the_target_refuses_is_said_before_tfx_is_loaded(run, tmp_path):
    code, said = run("--target", "vertex", "-o", "p.json", "--set", "push.path=serving")
    assert code == 2
    assert said.startswith("graft: push.path: tasks on vertex do not see this folder\n")
    assert not (tmp_path / "p.json").exists()


def test_the_config_is_not_overwritten(run, tmp_path):
    assert run("--target", "kubeflow", "-o", f"{tmp_path}/../{tmp_path.name}/flowers.yaml") == (
        2,
        "graft: --output would overwrite the config\n"
        f"  Received: '{tmp_path}/../{tmp_path.name}/flowers.yaml'\n"
        "  Valid: flowers.pipeline.yaml\n",
    )
    assert (tmp_path / "flowers.yaml").read_text(encoding="utf-8") == GOOD
