"""The stock Pusher's wiring around our way of publishing (publish.py)."""

from pathlib import Path
from typing import Any

from absl import logging
from tfx.components.pusher import executor as stock
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import json_utils, proto_utils

from components.pusher.publish import publish


class Executor(stock.Executor):
    """Pushes when everything upstream blessed the model; else says it did not."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Pushes one model.

        Args:
            input_dict: `model`, and `model_blessing` or `infra_blessing`.
            output_dict: `pushed_model`, which is told where and which version.
            exec_properties: `push_destination` as the stock Pusher takes it;
                `custom_config` with `keep`, versions that stay.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        pushed = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.PUSHED_MODEL_KEY]
        )
        if not self.CheckBlessing(input_dict):
            self._MarkNotPushed(pushed)
            return
        destination = pusher_pb2.PushDestination()
        proto_utils.json_to_proto(
            exec_properties[standard_component_specs.PUSH_DESTINATION_KEY], destination
        )
        custom = json_utils.loads(exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY])
        path = Path(destination.filesystem.base_directory)
        version = publish(Path(self.GetModelPath(input_dict)), path, custom["keep"])
        logging.info("Pushed to %s as version %d", path, version)
        self._MarkPushed(
            pushed, pushed_destination=str(path / str(version)), pushed_version=str(version)
        )
