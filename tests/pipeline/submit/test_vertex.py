"""What `graft submit` says to Vertex AI and to the user: Google's clients, a loopback server.

The credentials are a service account's whose token comes from that server too.
"""

import json
import socket
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from pipeline.cli import main
from tests.pipeline.submit.service import Service

# google-cloud-aiplatform alone takes nine seconds to import.
pytestmark = pytest.mark.slow

WHERE = "projects/acme/locations/europe-west4"
SCHEDULE = {
    "cron": "TZ=Europe/Berlin 0 6 * * *",
    "max_concurrent_runs": 1,
    "start_time": None,
    "end_time": None,
}


def task(name, state, error=""):
    times = {"startTime": "2026-01-01T00:00:00Z", "endTime": "2026-01-01T00:00:07Z"}
    ended = state in ("SUCCEEDED", "FAILED")
    failure = {"error": {"code": 9, "message": error}} if error else {}
    return {"taskName": name, "state": state, **(times if ended else {}), **failure}


def looks(*states):
    """Each look at the run finds the next of these, the last one for ever."""
    left = list(states)

    def answer(match, body):
        state, tasks = left.pop(0) if len(left) > 1 else left[0]
        job = {"name": f"{WHERE}/pipelineJobs/{match[1]}", "state": f"PIPELINE_STATE_{state}"}
        return 200, {**job, "jobDetail": {"taskDetails": tasks}}

    return answer


def refusal(code, status, message, **info):
    error = {"code": code, "status": status, "message": message}
    if info:
        kind = "type.googleapis.com/google.rpc.ErrorInfo"
        error["details"] = [{"@type": kind, "domain": "googleapis.com", **info}]
    return code, {"error": error}


@pytest.fixture(scope="module")
def key():
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


@pytest.fixture
def vertex(monkeypatch, tmp_path, key):
    """A project in which everything is allowed and every run succeeds."""
    with Service() as service:
        token = {"access_token": "t0k", "expires_in": 3600, "token_type": "Bearer"}
        service.on("POST", "^/token", (200, token))
        service.on("GET", "^/storage/v1/b/acme", (200, {"name": "acme"}))
        service.on(
            "POST",
            rf"^/v1/{WHERE}/pipelineJobs\?",
            lambda match, body: (200, {"name": f"{WHERE}/pipelineJobs/made"}),
        )
        service.on(
            "GET",
            rf"^/v1/{WHERE}/pipelineJobs/([\w-]+)",
            looks(
                ("PENDING", []),
                ("RUNNING", [task("shop", "RUNNING"), task("Trainer", "RUNNING")]),
                ("SUCCEEDED", [task("Trainer", "SUCCEEDED"), task("Pusher", "SKIPPED")]),
            ),
        )
        service.on("GET", rf"^/v1/{WHERE}/schedules\?", (200, {}))
        service.on("POST", rf"^/v1/{WHERE}/schedules", (200, {"name": f"{WHERE}/schedules/77"}))
        credentials = {
            "type": "service_account",
            "project_id": "acme",
            "private_key_id": "1",
            "private_key": key,
            "client_email": "me@acme.example",
            "token_uri": f"{service.url}/token",
        }
        (tmp_path / "key.json").write_text(json.dumps(credentials))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", service.url)
        yield service


@pytest.fixture
def spec(vertex, compiled):
    def write(**own):
        return str(
            compiled("vertex", **{"endpoint": vertex.url, "location": "europe-west4", **own})
        )

    return write


def test_a_run_is_started_with_its_values_and_followed_task_by_task(vertex, spec, capfd):
    assert main(["submit", spec(), "--parameter", "epochs=5", "--json"]) == 0

    (asked,) = [one for one in vertex.asked if one.method == "POST" and "/pipelineJobs" in one.path]
    assert asked.body["displayName"] == "shop"
    assert asked.body["labels"] == {"team": "fruit"}
    assert asked.body["serviceAccount"] == "runner@acme.example"
    assert asked.body["runtimeConfig"]["gcsOutputDirectory"] == "gs://acme/pipelines"
    assert asked.body["runtimeConfig"]["parameterValues"] == {"epochs": 5, "span": ""}
    assert set(asked.body["pipelineSpec"]["root"]["dag"]["tasks"]) == {"Trainer", "Pusher"}
    (name,) = parse_qs(urlsplit(asked.path).query)["pipelineJobId"]
    assert name.startswith("shop-2")
    assert asked.headers["authorization"].startswith("Bearer ")
    out, err = capfd.readouterr()
    result = json.loads(out)
    assert result["state"] == "succeeded"
    assert result["tasks"]["Trainer"] == {"state": "succeeded", "seconds": 7.0, "error": ""}
    assert result["tasks"]["Pusher"]["state"] == "cached"
    assert result["url"] == (
        "https://console.cloud.google.com/vertex-ai/locations/europe-west4/pipelines/runs/"
        f"{name}?project=acme"
    )
    assert "Trainer: finished after 7.0 s" in err


def test_a_run_that_fails_is_named_with_the_task_and_its_reason(vertex, spec, capfd):
    failed = [task("Trainer", "FAILED", "The replica ran out of memory"), task("shop", "FAILED")]
    vertex.on("GET", r"/pipelineJobs/([\w-]+)", looks(("FAILED", failed)))

    assert main(["submit", spec()]) == 1

    said = capfd.readouterr().err
    assert "graft: The run failed in Trainer\n  The replica ran out of memory\n  See: http" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("answer", "said", "see"),
    [
        (
            refusal(
                403,
                "PERMISSION_DENIED",
                "Vertex AI API has not been used",
                reason="SERVICE_DISABLED",
                metadata={"service": "aiplatform.googleapis.com"},
            ),
            "The API of Vertex AI is not enabled",
            "gcloud services enable aiplatform.googleapis.com --project acme",
        ),
        (
            refusal(403, "PERMISSION_DENIED", "Permission 'aiplatform.x' denied"),
            f"Vertex AI does not allow it at {WHERE}",
            "the roles Vertex AI User",
        ),
        (
            refusal(404, "NOT_FOUND", "Location not found"),
            f"Vertex AI finds nothing at {WHERE}: is deploy.vertex right?",
            "Location not found",
        ),
        (
            refusal(401, "UNAUTHENTICATED", "invalid authentication"),
            "Vertex AI does not take the credentials",
            "gcloud auth application-default login",
        ),
        (
            refusal(400, "INVALID_ARGUMENT", "Custom artifact type is refused"),
            "Vertex AI refuses the pipeline",
            "Custom artifact type is refused",
        ),
        (
            refusal(429, "RESOURCE_EXHAUSTED", "Quota of pipelines"),
            "Vertex AI cannot answer now",
            "Quota of pipelines",
        ),
    ],
)
def test_what_vertex_refuses_is_said_with_what_mends_it(vertex, spec, capfd, answer, said, see):
    vertex.on("POST", "/pipelineJobs", answer)

    assert main(["submit", spec()]) == 2

    err = capfd.readouterr().err
    assert f"graft: {said}\n  Received: " in err
    assert see in err
    assert "Traceback" not in err


def test_a_bucket_that_is_not_there_is_said_before_a_run_is_started(vertex, spec, capfd):
    vertex.on("GET", "^/storage/v1/b/acme", refusal(404, "NOT_FOUND", "no bucket"))

    assert main(["submit", spec()]) == 2
    assert (
        "graft: There is no such bucket\n  Received: 'gs://acme/pipelines'\n"
        "  See: gcloud storage buckets create gs://acme --location=europe-west4\n"
    ) in capfd.readouterr().err
    assert not vertex.bodies("POST", "/pipelineJobs")


def test_who_may_not_look_at_the_bucket_may_still_start_a_run(vertex, spec):
    vertex.on("GET", "^/storage/v1/b/acme", refusal(403, "PERMISSION_DENIED", "no"))

    assert main(["submit", spec(), "--no-wait"]) == 0


def test_no_credentials_are_said_with_how_to_get_some(vertex, spec, capfd, monkeypatch, tmp_path):
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")

    assert main(["submit", spec()]) == 2
    said = capfd.readouterr().err
    assert "graft: There are no credentials for Google Cloud\n" in said
    assert "gcloud auth application-default login" in said


def test_credentials_that_were_withdrawn_are_said(vertex, spec, capfd):
    vertex.on("POST", "^/token", (400, {"error": "invalid_grant", "error_description": "gone"}))

    assert main(["submit", spec()]) == 2
    assert "graft: Google Cloud does not take the credentials\n" in capfd.readouterr().err


def test_an_endpoint_where_nobody_listens_is_said(spec, capfd):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
        assert main(["submit", spec(endpoint=address)]) == 2
    assert "graft: Vertex AI does not answer\n" in capfd.readouterr().err


def test_a_schedule_is_made_and_doubled_by_nobody(vertex, spec, capfd):
    path = spec(schedule=SCHEDULE)

    assert main(["submit", path, "--schedule"]) == 0

    (sent,) = vertex.bodies("POST", "/schedules")
    assert sent["cron"] == SCHEDULE["cron"]
    assert sent["displayName"] == "shop"
    assert sent["maxConcurrentRunCount"] in (1, "1")
    job = sent["createPipelineJobRequest"]["pipelineJob"]
    assert job["runtimeConfig"]["parameterValues"] == {"epochs": 30, "span": ""}
    assert job["serviceAccount"] == "runner@acme.example"
    assert capfd.readouterr().out.startswith(f"shop: scheduled\n  Id   {WHERE}/schedules/77\n")

    old = {"name": f"{WHERE}/schedules/70", "state": "ACTIVE"}
    vertex.on("GET", rf"/{WHERE}/schedules\?", (200, {"schedules": [old]}))
    vertex.on("GET", "/schedules/70", (200, old))
    assert main(["submit", path, "--schedule"]) == 2
    assert "A schedule shop is there already; --replace" in capfd.readouterr().err

    done = {"name": f"{WHERE}/operations/1", "done": True}
    empty = {"@type": "type.googleapis.com/google.protobuf.Empty"}
    vertex.on("DELETE", "/schedules/70", (200, {**done, "response": empty}))
    assert main(["submit", path, "--schedule", "--replace"]) == 0
    assert [one.method for one in vertex.asked if one.path.split("?")[0].endswith("/70")][
        -1
    ] == "DELETE"
