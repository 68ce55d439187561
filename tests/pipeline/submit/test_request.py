"""Mistakes that are found before any client is imported."""

import json
import subprocess
import sys

import pytest

from pipeline.cli import main
from pipeline.submit.request import parse_value, read_request
from preprocessing.errors import UsageError


def test_what_is_given_replaces_the_default_and_has_the_specs_type(compiled):
    for target in ("vertex", "kubeflow"):
        request = read_request(compiled(target), ["epochs=5", "span=a=b"])
        assert request.parameters == {"epochs": 5, "span": "a=b"}
        assert request.tasks == {"Trainer", "Pusher"}


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("NUMBER_DOUBLE", "0.5", 0.5),
        ("BOOLEAN", "True", True),
        ("LIST", "[1]", [1]),
        ("STRUCT", '{"a": 1}', {"a": 1}),
        ("STRING", "5", "5"),
    ],
)
def test_each_type_of_parameter_is_read(kind, text, value):
    assert parse_value("x", text, kind) == value


def test_another_type_is_refused():
    for kind in ("NUMBER_INTEGER", "NUMBER_DOUBLE", "BOOLEAN", "STRUCT"):
        with pytest.raises(UsageError, match=f"The parameter x is a {kind}\n  Received: 'many'"):
            parse_value("x", "many", kind)


def test_an_unknown_parameter_is_answered_with_the_closest(compiled, capsys):
    assert main(["submit", str(compiled("kubeflow")), "--parameter", "epoch=5"]) == 2
    assert (
        "graft: The pipeline has no such parameter\n  Received: 'epoch'\n"
        "  Valid: epochs, span\n  Did you mean 'epochs'?\n"
    ) in capsys.readouterr().err


def test_a_parameter_without_a_value_is_asked_for(compiled):
    with pytest.raises(UsageError, match="parameter epochs has no value; give it by --parameter"):
        read_request(compiled("kubeflow", parameters={"span": ""}), [])


def test_a_value_that_a_task_would_refuse_is_refused(compiled):
    limits = {"epochs": [1, None], "span": [None, None]}
    spec = compiled("kubeflow", limits=limits)
    with pytest.raises(UsageError) as caught:
        read_request(spec, ["epochs=0"])
    assert str(caught.value) == (
        "The parameter epochs cannot have this value\n  Received: 0\n  Valid: at least 1"
    )
    assert read_request(spec, ["epochs=1", "span=2026-01-31"]).parameters["epochs"] == 1


def test_a_value_without_a_name_is_refused(compiled):
    with pytest.raises(UsageError, match="--parameter wants NAME=VALUE\n  Received: 'epochs'"):
        read_request(compiled("kubeflow"), ["epochs"])


def test_a_spec_without_its_submit_file_is_refused(compiled, capsys):
    spec = compiled("kubeflow")
    spec.with_name("pipeline.yaml.submit.json").unlink()
    assert main(["submit", str(spec)]) == 2
    said = capsys.readouterr().err
    assert "one cannot be read: pipeline.yaml.submit.json: No such file or directory" in said
    assert "See: graft compile writes both" in said


def test_a_submit_file_of_something_else_is_refused(compiled):
    spec = compiled("kubeflow")
    spec.with_name("pipeline.yaml.submit.json").write_text(json.dumps({"target": "vertex"}))
    with pytest.raises(UsageError, match="pipeline.yaml.submit.json is not what graft compile"):
        read_request(spec, [])


@pytest.mark.parametrize("content", ["[]", "a: [", "{}", ""])
def test_a_file_that_is_no_pipeline_is_refused(compiled, content):
    for target in ("kubeflow", "vertex"):
        spec = compiled(target)
        spec.write_text(content)
        with pytest.raises(UsageError, match="This is no compiled pipeline"):
            read_request(spec, [])


def test_replace_alone_is_refused(compiled, capsys):
    assert main(["submit", str(compiled("kubeflow")), "--replace"]) == 2
    assert "--replace says what --schedule may do: add it" in capsys.readouterr().err


def test_a_mistake_imports_no_client_and_no_tensorflow(compiled):
    code = (
        "import sys; from pipeline.cli import main; code = main(sys.argv[1:]);"
        "heavy = {'tensorflow', 'tfx', 'kfp', 'google.auth', 'google.cloud.aiplatform'};"
        "heavy &= set(sys.modules);"
        "print(code, sorted(heavy))"
    )
    arguments = ["submit", str(compiled("vertex")), "--parameter", "epoch=5"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    assert done.stdout == "2 []\n"
