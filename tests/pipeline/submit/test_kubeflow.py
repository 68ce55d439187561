"""What `graft submit` says to Kubeflow's API and to the user: kfp's client, a loopback server."""

import json
import socket

import pytest

from pipeline.cli import main
from pipeline.submit.kubeflow import Kubeflow
from tests.pipeline.submit.service import Service

RUN = "6f1d"
SCHEDULE = {"cron": "0 6 * * *", "max_concurrent_runs": 1, "start_time": None, "end_time": None}


def task(name, state, error=None):
    times = {"start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-01T00:00:07Z"}
    ended = state in ("SUCCEEDED", "FAILED")
    failure = {"error": {"code": 9, "message": error}} if error else {}
    return {"display_name": name, "state": state, **(times if ended else {}), **failure}


def looks(*states):
    """Each look at the run finds the next of these, the last one for ever."""
    left = list(states)

    def answer(match, body):
        state, tasks = left.pop(0) if len(left) > 1 else left[0]
        return 200, {"run_id": RUN, "state": state, "run_details": {"task_details": tasks}}

    return answer


@pytest.fixture
def kubeflow(monkeypatch, tmp_path):
    """One user's Kubeflow, in which every run succeeds."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("KFP_TOKEN", "KFP_COOKIE", "KF_PIPELINES_SA_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    with Service() as service:
        api = "/apis/v2beta1"
        service.on("GET", f"{api}/healthz", (200, {"multi_user": False}))
        there = {"experiments": [{"experiment_id": "e1", "display_name": "Default"}]}
        service.on("GET", rf"{api}/experiments\?", (200, there))
        service.on("POST", f"{api}/runs", (200, {"run_id": RUN}))
        drivers = [task("root", "RUNNING"), task("Trainer-driver", "SUCCEEDED")]
        service.on(
            "GET",
            f"{api}/runs/{RUN}",
            looks(
                ("PENDING", None),
                ("RUNNING", [*drivers, task("Trainer", "RUNNING")]),
                ("SUCCEEDED", [*drivers, task("Trainer", "SUCCEEDED"), task("Pusher", "SKIPPED")]),
            ),
        )
        service.on("GET", rf"{api}/recurringruns\?", (200, {}))
        service.on("POST", f"{api}/recurringruns", (200, {"recurring_run_id": "r2"}))
        service.on("DELETE", f"{api}/recurringruns/", (200, {}))
        yield service


def test_a_run_is_started_with_its_values_and_followed_task_by_task(kubeflow, compiled, capfd):
    spec = compiled("kubeflow", endpoint=f"{kubeflow.url}/")

    assert main(["submit", str(spec), "--parameter", "epochs=5"]) == 0

    (sent,) = kubeflow.bodies("POST", "/runs")
    assert sent["display_name"] == "shop"
    assert sent["experiment_id"] == "e1"
    assert sent["service_account"] == "runner@acme.example"
    assert sent["runtime_config"] == {
        "parameters": {"epochs": 5, "span": ""},
        "pipeline_root": "gs://acme/pipelines",
    }
    assert set(sent["pipeline_spec"]["root"]["dag"]["tasks"]) == {"Trainer", "Pusher"}
    out, err = capfd.readouterr()
    url = f"{kubeflow.url}/#/runs/details/{RUN}"
    assert out == f"shop: succeeded\n  Id   {RUN}\n  See  {url}\n"
    assert [line for line in err.splitlines() if line.startswith(("Trainer", "Pusher"))] == [
        "Trainer: started",
        "Trainer: finished after 7.0 s",
        "Pusher: started",
        "Pusher: cached",
    ]


def test_without_waiting_nothing_is_asked_of_the_run(kubeflow, compiled, capfd):
    spec = compiled("kubeflow", endpoint=kubeflow.url)

    assert main(["submit", str(spec), "--no-wait", "--json"]) == 0

    result = json.loads(capfd.readouterr().out)
    assert result == {
        "target": "kubeflow",
        "name": "shop",
        "id": RUN,
        "url": f"{kubeflow.url}/#/runs/details/{RUN}",
        "parameters": {"epochs": 30, "span": ""},
        "state": "started",
        "tasks": {},
    }
    assert not [one for one in kubeflow.asked if one.path.endswith(f"/runs/{RUN}")]


def test_a_run_that_fails_is_named_with_the_task_and_its_reason(kubeflow, compiled, capfd):
    failed = [task("Trainer", "FAILED", "OOMKilled"), task("Trainer-driver", "FAILED", "noise")]
    kubeflow.on("GET", f"/runs/{RUN}", looks(("FAILED", failed)))
    spec = compiled("kubeflow", endpoint=kubeflow.url)

    assert main(["submit", str(spec)]) == 1

    said = capfd.readouterr().err
    assert (
        "graft: The run failed in Trainer\n  OOMKilled\n"
        f"  See: {kubeflow.url}/#/runs/details/{RUN}\n  Log: " in said
    )
    assert "Traceback" not in said


def test_a_run_that_someone_cancels_has_failed(kubeflow, compiled, capfd):
    kubeflow.on("GET", f"/runs/{RUN}", looks(("CANCELED", [])))

    assert main(["submit", str(compiled("kubeflow", endpoint=kubeflow.url))]) == 1
    assert "graft: The run was cancelled" in capfd.readouterr().err


def test_while_waiting_a_service_may_stumble(kubeflow, compiled, capfd):
    answers = [(503, {"message": "upstream"}), (200, {"run_id": RUN, "state": "SUCCEEDED"})]
    kubeflow.on("GET", f"/runs/{RUN}", lambda match, body: answers.pop(0))

    assert main(["submit", str(compiled("kubeflow", endpoint=kubeflow.url))]) == 0
    assert "no answer, asking again" in capfd.readouterr().err


def test_ctrl_c_ends_the_waiting_and_not_the_run(kubeflow, compiled, capfd, monkeypatch):
    def press(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Kubeflow, "look", press)

    assert main(["submit", str(compiled("kubeflow", endpoint=kubeflow.url))]) == 130

    said = capfd.readouterr().err
    assert f"stopped waiting; the run goes on: {kubeflow.url}/#/runs/details/{RUN}\n" in said
    assert said.endswith("graft: stopped\n")


def test_credentials_that_end_while_waiting_are_said_with_where_the_run_is(
    kubeflow, compiled, capfd
):
    answers = [(200, {"run_id": RUN, "state": "RUNNING"}), (401, {"error_message": "expired"})]
    kubeflow.on("GET", f"/runs/{RUN}", lambda match, body: answers.pop(0))

    assert main(["submit", str(compiled("kubeflow", endpoint=kubeflow.url))]) == 2
    said = capfd.readouterr().err
    assert "graft: Kubeflow Pipelines wants credentials, or others\n  Received: 'expired'\n" in said
    assert f"  The run may go on: {kubeflow.url}/#/runs/details/{RUN}\n" in said


def test_an_address_that_has_moved_is_said_with_the_new_one(kubeflow, compiled, capfd):
    """As gateways do that want https."""
    there = kubeflow.url.replace("http://", "https://")
    kubeflow.headers["Location"] = f"{there}/apis/v2beta1/healthz"
    kubeflow.on("GET", "/healthz", (301, ""))

    assert main(["submit", str(compiled("kubeflow", endpoint=kubeflow.url))]) == 2
    assert (
        "graft: Kubeflow Pipelines is at another address\n"
        f"  Received: '{kubeflow.url}'\n"
        f"  Valid: {there}\n"
        f"  Did you mean '{there}'?\n"
        "  See: deploy.kubeflow.endpoint\n"
    ) in capfd.readouterr().err


def test_a_token_and_a_namespace_go_along(kubeflow, compiled, monkeypatch):
    kubeflow.on("GET", "/healthz", (200, {"multi_user": True}))
    monkeypatch.setenv("KFP_TOKEN", "t0k")
    spec = compiled("kubeflow", endpoint=kubeflow.url, namespace="fruit", experiment="trials")
    kubeflow.on("GET", r"/experiments\?", (200, {}))
    kubeflow.on("POST", "/experiments", (200, {"experiment_id": "e7"}))

    assert main(["submit", str(spec), "--no-wait"]) == 0

    assert {one.headers.get("authorization") for one in kubeflow.asked} == {"Bearer t0k"}
    (experiment,) = kubeflow.bodies("POST", "/experiments")
    assert (experiment["display_name"], experiment["namespace"]) == ("trials", "fruit")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((302, ""), "Kubeflow Pipelines wants credentials, or others"),
        ((401, {"error_message": "no token"}), "  Received: 'no token'"),
        ((403, {"message": "no such right"}), "does not allow it\n  Received: 'no such right'"),
        ((404, "<html>"), "No API of Kubeflow Pipelines 2 is at this address"),
        ((200, 5), "No API of Kubeflow Pipelines 2 is at this address"),
        ((200, "<html>"), "it may want /pipeline at its end"),
        ((502, "bad gateway"), "cannot answer now\n  Received: 'HTTP 502'"),
        ((200, {"multi_user": True}), "has many users; it wants a namespace"),
    ],
)
def test_what_answers_otherwise_is_said_once(kubeflow, compiled, capfd, answer, said):
    kubeflow.on("GET", "/healthz", answer)

    assert main(["submit", str(compiled("kubeflow", endpoint=kubeflow.url))]) == 2

    err = capfd.readouterr().err
    assert said in err
    assert "Traceback" not in err


def test_what_the_api_refuses_is_said_with_its_words(kubeflow, compiled, capfd):
    body = {"error": "x", "code": 3, "message": "Invalid input error: unknown template\nmore"}
    kubeflow.on("POST", "/runs", (400, body))

    assert main(["submit", str(compiled("kubeflow", endpoint=kubeflow.url))]) == 2
    assert (
        "Kubeflow Pipelines refuses the pipeline\n"
        "  Received: 'Invalid input error: unknown template'\n"
    ) in capfd.readouterr().err


def test_an_endpoint_where_nobody_listens_is_said(compiled, capfd):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
        assert main(["submit", str(compiled("kubeflow", endpoint=address))]) == 2
    said = capfd.readouterr().err
    assert "graft: Kubeflow Pipelines does not answer:" in said
    assert f"  Received: '{address}'\n" in said


def test_no_endpoint_at_all_is_said_with_an_example(compiled, capfd):
    assert main(["submit", str(compiled("kubeflow"))]) == 2
    assert (
        "graft: The address of Kubeflow Pipelines is not given\n  Received: None\n"
        "  See: deploy.kubeflow.endpoint, such as"
    ) in capfd.readouterr().err


def test_a_schedule_is_made_with_seconds_and_without_catching_up(kubeflow, compiled, capfd):
    spec = compiled("kubeflow", endpoint=kubeflow.url, schedule=SCHEDULE)

    assert main(["submit", str(spec), "--schedule", "--json"]) == 0

    (sent,) = kubeflow.bodies("POST", "/recurringruns")
    assert sent["trigger"] == {"cron_schedule": {"cron": "0 0 6 * * *"}}
    assert int(sent["max_concurrency"]) == 1
    assert sent["no_catchup"] is True
    assert sent["runtime_config"]["parameters"] == {"epochs": 30, "span": ""}
    result = json.loads(capfd.readouterr().out)
    assert result["url"] == f"{kubeflow.url}/#/recurringrun/details/r2"
    assert not kubeflow.bodies("POST", "/runs")


def test_a_schedule_is_doubled_by_nobody_and_replaced_on_demand(kubeflow, compiled, capfd):
    there = {"recurringRuns": [{"recurring_run_id": "r1", "display_name": "shop"}]}
    kubeflow.on("GET", r"/recurringruns\?", (200, there))
    spec = str(compiled("kubeflow", endpoint=kubeflow.url, schedule=SCHEDULE))

    assert main(["submit", spec, "--schedule"]) == 2
    assert (
        "A schedule shop is there already; --replace puts the new one in its place\n"
        "  Received: 'r1'"
    ) in capfd.readouterr().err
    assert not kubeflow.bodies("POST", "/recurringruns")

    assert main(["submit", spec, "--schedule", "--replace"]) == 0
    ends = [(one.method, one.path.split("/")[-1]) for one in kubeflow.asked[-2:]]
    assert ends == [("POST", "recurringruns"), ("DELETE", "r1")]


def test_a_spec_without_a_schedule_cannot_be_scheduled(kubeflow, compiled, capfd):
    spec = compiled("kubeflow", endpoint=kubeflow.url)
    assert main(["submit", str(spec), "--schedule"]) == 2
    assert "The pipeline was compiled without a schedule" in capfd.readouterr().err
