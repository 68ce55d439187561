"""A compiled pipeline of two tasks for each platform, and a registry that has its image."""

import json
from pathlib import Path

import pytest
import yaml

from pipeline.submit import wait
from tests.pipeline.submit.service import Service


def pipeline_spec():
    """Train, then Push; `epochs` and `span` can be given."""

    def component(executor):
        return {"executorLabel": executor}

    return {
        "pipelineInfo": {"name": "shop"},
        "schemaVersion": "2.1.0",
        "sdkVersion": "tfx-1.16.0",
        "components": {"comp-train": component("train"), "comp-push": component("push")},
        "deploymentSpec": {
            "executors": {
                name: {"container": {"image": "graft", "command": ["true"]}}
                for name in ("train", "push")
            }
        },
        "root": {
            "dag": {
                "tasks": {
                    "Trainer": {
                        "taskInfo": {"name": "Trainer"},
                        "componentRef": {"name": "comp-train"},
                    },
                    "Pusher": {
                        "taskInfo": {"name": "Pusher"},
                        "componentRef": {"name": "comp-push"},
                        "dependentTasks": ["Trainer"],
                    },
                }
            },
            "inputDefinitions": {
                "parameters": {
                    "epochs": {"parameterType": "NUMBER_INTEGER"},
                    "span": {"parameterType": "STRING"},
                }
            },
        },
    }


@pytest.fixture
def registry():
    """Has any image."""
    with Service() as service:
        service.on("HEAD", "/v2/.*/manifests/", (200, ""))
        yield service


@pytest.fixture
def compiled(tmp_path, registry, monkeypatch):
    """Writes a spec and its submit file, for a target and with values of one's own."""
    monkeypatch.setattr(wait, "POLL_SECONDS", 0.01)

    def write(target: str, **own) -> Path:
        if target == "vertex":
            spec = tmp_path / "pipeline.json"
            job = {"displayName": "shop", "pipelineSpec": pipeline_spec(), "runtimeConfig": {}}
            spec.write_text(json.dumps(job))
        else:
            spec = tmp_path / "pipeline.yaml"
            spec.write_text(yaml.safe_dump(pipeline_spec()))
        submit = {
            "target": target,
            "name": "shop",
            "image": f"{registry.url.removeprefix('http://')}/graft:1",
            "pipeline_root": "gs://acme/pipelines",
            "parameters": {"epochs": 30, "span": ""},
            "labels": {"team": "fruit"},
            "service_account": "runner@acme.example",
            "schedule": None,
            "backbones": [],
        }
        Path(f"{spec}.submit.json").write_text(json.dumps({**submit, **own}))
        return spec

    return write
