"""What a PipelineSpec has no words for and Kubernetes needs: secrets, volumes, nodes, labels.

Kubeflow reads it from a second YAML document, by the names of the executors
(kubernetes_platform's KubernetesExecutorConfig).
"""

from typing import Any

from pipeline.deploy_config import DeployConfig
from pipeline.kubeflow.spec import Spec, containers, machine_of

# Google's labels of nodes; other clusters may set the same.
_NODE_TYPE = "node.kubernetes.io/instance-type"
_NODE_ACCELERATOR = "cloud.google.com/gke-accelerator"


def build_platform_spec(spec: Spec, deploy: DeployConfig) -> Spec | None:
    """Builds the second document.

    Args:
        spec: The PipelineSpec.
        deploy: What the config asks for.

    Returns:
        The PlatformSpec; None where there is nothing to say.
    """
    made = {name: _executor(name, deploy) for name, _ in containers(spec)}
    executors = {f"{name}_executor": one for name, one in made.items() if one}
    if not executors:
        return None
    return {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}}


def _executor(name: str, deploy: DeployConfig) -> Spec:
    machine = machine_of(name, deploy)
    nodes: dict[str, str] = {}
    if machine.machine_type:
        nodes[_NODE_TYPE] = machine.machine_type
    if machine.accelerator and "/" not in machine.accelerator.type:
        nodes[_NODE_ACCELERATOR] = machine.accelerator.type.lower().replace("_", "-")
    said: dict[str, Any] = {
        "secretAsEnv": [
            {
                "secretName": one.name,
                "keyToEnv": [{"secretKey": one.key, "envVar": one.env}],
            }
            for one in deploy.secrets
        ],
        "pvcMount": [{"constant": one.claim, "mountPath": one.mount} for one in deploy.volumes],
        "nodeSelector": {"labels": nodes} if nodes else {},
        "imagePullSecret": [{"secretName": one} for one in deploy.kubeflow.image_pull_secrets],
        "podMetadata": {"labels": dict(deploy.labels)} if deploy.labels else {},
    }
    return {key: value for key, value in said.items() if value}
