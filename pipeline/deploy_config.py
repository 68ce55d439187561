"""Where a compiled pipeline runs and what it gets there, as the user writes it.

Imports no TensorFlow. What a target refuses of it is pipeline/kubeflow/checks.py.
"""

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.schedule_config import Schedule
from preprocessing.config import Record
from preprocessing.errors import explain

Target = Literal["local", "vertex", "kubeflow"]

# What both Google Cloud and Kubernetes take for a label.
_LABEL = r"^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$"
_VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"

# GB of memory for each CPU of a machine of Google's, by the family in its name.
MACHINE_FAMILIES = {
    "e2-standard": 4.0,
    "e2-highmem": 8.0,
    "e2-highcpu": 1.0,
    "n1-standard": 3.75,
    "n1-highmem": 6.5,
    "n1-highcpu": 0.9,
    "n2-standard": 4.0,
    "n2-highmem": 8.0,
    "n2-highcpu": 1.0,
}
_MACHINE_TYPE = re.compile(r"([a-z0-9]+-[a-z]+)-(\d+)")


class Accelerator(Record):
    """Graphics cards or the like of one task."""

    type: str = Field(
        min_length=1,
        examples=["NVIDIA_TESLA_T4", "nvidia.com/gpu"],
        description="Vertex's name, or Kubernetes' name of the resource; kubeflow takes both",
    )
    count: int = Field(1, gt=0)


class Machine(Record):
    """What one task gets; null leaves it to the platform."""

    machine_type: str | None = Field(
        None,
        examples=["n1-standard-8"],
        description="Google's name of a machine. vertex chooses by CPUs and memory, which this "
        "stands for; kubeflow also looks for a node of this type",
    )
    cpu: float | None = Field(None, gt=0, description="CPUs at most")
    memory_gb: float | None = Field(None, gt=0, description="memory at most, in GB (10^9 bytes)")
    accelerator: Accelerator | None = None

    @model_validator(mode="after")
    def _is_a_known_machine(self) -> "Machine":
        if self.machine_type and not (self.cpu and self.memory_gb):
            match = _MACHINE_TYPE.fullmatch(self.machine_type)
            if match is None or match[1] not in MACHINE_FAMILIES:
                what = "machine_type is of no family whose size is known; give cpu and memory_gb"
                valid = [f"{family}-N" for family in MACHINE_FAMILIES]
                raise ValueError(explain(what, self.machine_type, valid))
        return self

    @property
    def limits(self) -> tuple[float | None, float | None]:
        """CPUs and GB of memory at most."""
        match = _MACHINE_TYPE.fullmatch(self.machine_type or "")
        if match is None or match[1] not in MACHINE_FAMILIES:
            return self.cpu, self.memory_gb
        cpus = float(match[2])
        return self.cpu or cpus, self.memory_gb or cpus * MACHINE_FAMILIES[match[1]]


class SecretVariable(Record):
    """An environment variable that the platform fills from a Kubernetes secret."""

    env: str = Field(pattern=_VARIABLE, examples=["HF_TOKEN"])
    name: str = Field(min_length=1, description="of the secret, in the pipeline's namespace")
    key: str = Field(min_length=1, description="in the secret")


class Volume(Record):
    """A persistent volume claim that all tasks see."""

    claim: str = Field(min_length=1)
    mount: str = Field(pattern=r"^/.+", examples=["/data"], description="folder, from / on")


class VertexConfig(Record):
    """What only Vertex AI asks for."""

    project: str | None = Field(None, description="null: that of the credentials")
    location: str = Field("us-central1", examples=["europe-west4"])
    network: str | None = Field(None, description="of a private connection")
    encryption_key: str | None = Field(
        None, description="resource name of a key in Cloud KMS, projects/…/cryptoKeys/…"
    )


class KubeflowConfig(Record):
    """What only Kubeflow Pipelines asks for."""

    endpoint: str | None = Field(
        None, examples=["https://kfp.example.com/pipeline"], description="address of its API"
    )
    namespace: str | None = Field(None, description="of the user, where there are several")
    experiment: str | None = Field(None, description="null: the server's default")
    image_pull_secrets: tuple[str, ...] = Field((), description="names of Kubernetes secrets")


class DeployConfig(Record):
    """Where `graft compile` and `graft submit` have the pipeline run."""

    image: str = Field(
        min_length=1,
        examples=["europe-docker.pkg.dev/acme/ml/graft:1.4"],
        description="container image of all tasks; `make image` makes one",
    )
    pipeline_root: str = Field(
        min_length=1,
        examples=["gs://acme-ml/pipelines"],
        description="where artifacts go: gs://, on kubeflow also s3:// or minio://",
    )
    backbones: str | None = Field(
        None,
        min_length=1,
        description="where tasks find the vendored backbones: gs://, or a folder of the image or "
        "of a volume. null: backbones/ in a pipeline_root on gs://, where `graft submit` puts them",
    )
    image_paths: tuple[Annotated[str, Field(pattern=r"^/.+")], ...] = Field(
        (), description="folders of the image that hold data or backbones"
    )
    volumes: tuple[Volume, ...] = Field((), description="kubeflow")
    service_account: str | None = Field(
        None, description="vertex: its e-mail address; kubeflow: that of Kubernetes"
    )
    machines: dict[str, Machine] = Field(
        default_factory=dict,
        examples=[{"default": {"cpu": 4, "memory_gb": 16}}],
        description="by component, such as Embedder or Trainer; `default` is for all others",
    )
    labels: dict[Annotated[str, Field(pattern=_LABEL)], Annotated[str, Field(pattern=_LABEL)]] = (
        Field(default_factory=dict, description="of the runs")
    )
    env: dict[Annotated[str, Field(pattern=_VARIABLE)], str] = Field(
        default_factory=dict, description="environment variables of all tasks, none of them secret"
    )
    secrets: tuple[SecretVariable, ...] = Field(
        (), description="kubeflow: environment variables from Kubernetes secrets"
    )
    schedule: Schedule | None = Field(None, description="null: runs are started by hand")
    vertex: VertexConfig = VertexConfig()
    kubeflow: KubeflowConfig = KubeflowConfig()
