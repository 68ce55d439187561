"""The stock Pusher's wiring around our way of publishing (publish.py)."""

import os
import tempfile
from typing import Any

import tensorflow as tf
from absl import logging
from tfx.components.pusher import executor as stock
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import json_utils, proto_utils

from components.pusher.facts import read_facts
from components.pusher.files import list_files
from components.pusher.loading import WARMUP
from components.pusher.manifest import HELD_BACK
from components.pusher.publish import EXPORTS, Delivery, publish
from components.pusher.target import open_target
from components.pusher.warmup import write_warmup
from preprocessing.model_info import read_model_info

MODEL_CARD, EXAMPLES = "model_card", "examples"


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
            input_dict: See PusherSpec.
            output_dict: `pushed_model`, which is told where and which version.
            exec_properties: `push_destination` as the stock Pusher takes it;
                `custom_config`, see Pusher.
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
        path = destination.filesystem.base_directory
        folders = {key: artifacts[0].uri for key, artifacts in input_dict.items() if artifacts}
        model = self.GetModelPath(input_dict)
        with tempfile.TemporaryDirectory() as scratch:
            extras = _extras(folders) | _warmup(model, folders, custom, scratch)
            facts = read_facts(folders.get(MODEL_CARD), self._run_id(), _span(input_dict))
            delivery = Delivery(model, extras, facts)
            published = publish(delivery, path, custom["keep"], again=custom.get("again", False))
        if published.held_back:
            logging.warning("Not pushed to %s: %s", path, published.held_back)
            self._MarkNotPushed(pushed)
            pushed.set_string_custom_property(HELD_BACK, published.held_back)
            return
        logging.info("Version %d serves in %s", published.version, path)
        self._MarkPushed(
            pushed,
            pushed_destination=open_target(path).address(published.version),
            pushed_version=str(published.version),
        )

    def _run_id(self) -> str:
        return getattr(self._context, "pipeline_run_id", None) or ""


def _span(input_dict: dict[str, list[Any]]) -> int | None:
    """The span of the data, where its source has spans."""
    examples = input_dict.get(EXAMPLES) or []
    return next((one.get_int_custom_property("span") for one in examples), 0) or None


def _extras(folders: dict[str, str]) -> dict[str, str]:
    """The model card at the version's root, and the exports below exports/."""
    places = {MODEL_CARD: "", EXPORTS: f"{EXPORTS}/"}
    return {
        f"{place}{name}": f"{folders[key]}/{name}"
        for key, place in places.items()
        if key in folders
        for name in list_files(folders[key])
    }


def _warmup(
    model: str, folders: dict[str, str], custom: dict[str, Any], scratch: str
) -> dict[str, str]:
    if EXAMPLES not in folders or not custom.get("warmup"):
        return {}
    files = sorted(tf.io.gfile.glob(f"{folders[EXAMPLES]}/Split-eval/*"))
    path = os.path.join(scratch, "requests")
    info = read_model_info(model)
    count = write_warmup(info, files, custom["examples_signature"], path, custom["warmup"])
    return {WARMUP: path} if count else {}
