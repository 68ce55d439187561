"""TFX's own InfraValidator, for those who have Docker or Kubernetes where the pipeline runs."""

import os
from pathlib import Path

from tfx import types
from tfx.dsl.components.base import base_node
from tfx.proto import infra_validator_pb2

from components.serving_validator.config import InfraConfig
from preprocessing.errors import UsageError, explain

_SOCKET = Path("/var/run/docker.sock")


def build_infra_validator(
    model: types.BaseChannel,
    examples: types.BaseChannel,
    config: InfraConfig,
    signature: str,
    split: str,
) -> base_node.BaseNode:
    """Builds the node: it loads the model in TensorFlow Serving and sends it examples.

    Args:
        model: The exported model.
        examples: Raw examples.
        config: Where the server runs.
        signature: The one that takes serialized examples, as InfraValidator sends.
        split: Of the examples.

    Returns:
        The node; its output `blessing` is as the ServingValidator's, without a report.
    """
    # It brings the clients of Docker and Kubernetes, and is seldom wanted.
    from tfx.components.infra_validator.component import InfraValidator

    platform = {
        "docker": {"local_docker": infra_validator_pb2.LocalDockerConfig()},
        "kubernetes": {"kubernetes": infra_validator_pb2.KubernetesConfig()},
    }[config.platform]
    return InfraValidator(
        model=model,
        examples=examples,
        serving_spec=infra_validator_pb2.ServingSpec(
            tensorflow_serving=infra_validator_pb2.TensorFlowServing(
                image_name=config.image, tags=config.tags
            ),
            **platform,
        ),
        validation_spec=infra_validator_pb2.ValidationSpec(
            max_loading_time_seconds=config.loading_seconds, num_tries=config.tries
        ),
        request_spec=infra_validator_pb2.RequestSpec(
            tensorflow_serving=infra_validator_pb2.TensorFlowServingRequestSpec(
                signature_names=[signature]
            ),
            split_name=split,
            num_examples=config.requests,
        ),
    )


def check_platform(config: InfraConfig) -> None:
    """Complains before a local run begins, and not after hours of other work.

    Raises:
        UsageError: If what the InfraValidator needs is not here.
    """
    valid = "validate.validator: graft needs neither"
    if config.platform == "kubernetes":
        what = (
            "validate.infra.platform: kubernetes starts its server beside a pipeline that Kubeflow "
            f"runs, and this is none; {valid}"
        )
        raise UsageError(explain(what, config.platform, ["docker"]))
    if "DOCKER_HOST" not in os.environ and not _SOCKET.exists():
        what = (
            "validate.validator: infra_validator needs Docker, whose daemon does not run here "
            f"({_SOCKET} is not there and DOCKER_HOST is not set); {valid}"
        )
        raise UsageError(explain(what, "infra_validator", ["graft", "none"]))
