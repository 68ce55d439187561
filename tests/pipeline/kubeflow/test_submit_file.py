"""What stands beside the spec for `graft submit`."""

import json
from pathlib import Path

from pipeline.kubeflow.parameters import find_parameters
from pipeline.kubeflow.submit_file import build_submit_file, submit_path
from tests.pipeline.kubeflow.deployed import load

SCHEDULE = 'deploy.schedule={cron: "0 3 * * 1", timezone: UTC}'


def _submitted(folder, target, *overrides) -> dict:
    config = load(folder, *overrides)
    submit = build_submit_file(config, config.deploy, target, find_parameters(config), ())
    return json.loads(submit.model_dump_json())


def test_it_stands_beside_the_spec():
    assert submit_path(Path("out/pipeline.yaml")) == Path("out/pipeline.yaml.submit.json")


def test_it_holds_all_that_vertex_is_told(tmp_path):
    vertex = "deploy.vertex={project: acme-ml, location: europe-west4}"
    account = "deploy.service_account=graft@acme-ml.iam.gserviceaccount.com"
    assert _submitted(tmp_path, "vertex", SCHEDULE, vertex, account, "name=my_flowers") == {
        "target": "vertex",
        "name": "my-flowers",
        "image": "europe-docker.pkg.dev/acme/ml/graft:1.4",
        "pipeline_root": "gs://acme/pipelines",
        "parameters": {
            "epochs": 40,
            "threshold_accuracy_min": 0.85,
            "threshold_accuracy_no_worse_than_baseline_by": 0.01,
        },
        "limits": {
            "epochs": [1, None],
            "threshold_accuracy_min": [None, 1],
            "threshold_accuracy_no_worse_than_baseline_by": [0, None],
        },
        "labels": {},
        "service_account": "graft@acme-ml.iam.gserviceaccount.com",
        "project": "acme-ml",
        "location": "europe-west4",
        "network": None,
        "encryption_key": None,
        "endpoint": None,
        "namespace": None,
        "experiment": None,
        "schedule": {
            "cron": "TZ=UTC 0 3 * * 1",
            "max_concurrent_runs": 1,
            "start_time": None,
            "end_time": None,
        },
        "backbones": [],
    }


def test_kubeflow_is_told_its_own(tmp_path):
    kubeflow = "deploy.kubeflow={endpoint: 'https://kfp.acme.com', namespace: ml}"
    told = _submitted(tmp_path, "kubeflow", SCHEDULE, kubeflow)
    assert (told["endpoint"], told["namespace"]) == ("https://kfp.acme.com", "ml")
    assert told["schedule"]["cron"] == "0 3 * * 1"
    assert told["location"] is None
