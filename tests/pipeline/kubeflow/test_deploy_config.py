"""The `deploy:` block: what it takes, and what each mistake in it is answered with."""

import pytest

from pipeline.deploy_config import Machine
from preprocessing.errors import ConfigError
from tests.pipeline.kubeflow.deployed import load


@pytest.mark.parametrize(
    ("machine", "limits"),
    [
        ({}, (None, None)),
        ({"cpu": 2, "memory_gb": 8}, (2, 8)),
        ({"machine_type": "n1-standard-8"}, (8, 30)),
        ({"machine_type": "e2-highmem-4", "memory_gb": 20}, (4, 20)),
        ({"machine_type": "a2-highgpu-1g", "cpu": 12, "memory_gb": 85}, (12, 85)),
    ],
)
def test_a_machine_type_stands_for_its_cpus_and_memory(machine, limits):
    assert Machine.model_validate(machine).limits == limits


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("deploy.machines={Trainer: {machine_type: z9-mega-1}}", "machine_type is of no family"),
        ("deploy.labels={Team: a}", "deploy.labels.Team is not a valid key"),
        ("deploy.imagee=x", "Did you mean 'image'?"),
        ("deploy.env={HF_TOKEN: abc}", "deploy.env.HF_TOKEN looks like a secret"),
    ],
)
def test_mistakes_are_answered_where_they_are(tmp_path, override, said):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, override)
    assert said in str(caught.value)
