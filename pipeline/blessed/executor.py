"""The wiring of LastBlessed and Remember; the rule is in notes.py."""

import posixpath
import time
from typing import Any

from absl import logging
from tfx.components.util import model_utils
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import io_utils, path_utils

from components.pusher.files import digest_model
from pipeline.baseline import rolled_back_to
from pipeline.blessed.notes import Note, choose, read_notes, write_note
from pipeline.kubeflow_task.invocation import ABSENT, AT
from pipeline.kubeflow_task.places import is_private

Artifacts = dict[str, list[Any]]


class LastBlessed(base_executor.BaseExecutor):
    """Says of each output where what it stands for lies, or that there is none."""

    def Do(  # noqa: N802
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """Looks for the baseline.

        Args:
            input_dict: Nothing.
            output_dict: See LastBlessedSpec. They stay empty: Kubeflow Pipelines lets
                no output lie outside of its run, so each says where to look.
            exec_properties: `folder`, `push_path`.
        """
        pushed = exec_properties["push_path"]
        serving = rolled_back_to(pushed) if pushed else None
        note = choose(read_notes(exec_properties["folder"]), serving)
        logging.info("The baseline: %s", note.model if note else "there is none yet")
        for name in output_dict:
            artifact = artifact_utils.get_single_instance(output_dict[name])
            where = getattr(note, name) if note else None
            if where:
                artifact.set_string_custom_property(AT, where)
            else:
                artifact.set_int_custom_property(ABSENT, 1)


class Remember(base_executor.BaseExecutor):
    """Notes the model if it was blessed, and not refused as it is served."""

    def Do(  # noqa: N802
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """Notes one model.

        Args:
            input_dict: See RememberSpec.
            output_dict: Nothing.
            exec_properties: `folder`.
        """
        given = {name: one[0] for name, one in input_dict.items() if one}
        infra = given.get("infra_blessing")
        if not model_utils.is_model_blessed(given["model_blessing"]) or (
            infra and not model_utils.is_infra_validated(infra)
        ):
            logging.info("This model is not blessed, so the last one that is stays the baseline")
            return
        folder, now = exec_properties["folder"], time.time_ns() // 10**6
        digest = digest_model(path_utils.serving_model_path(given["model"].uri))
        given.pop("pushed_model", None)
        copied = posixpath.join(folder, str(now))
        where = {name: _lasting(one.uri, f"{copied}/{name}") for name, one in given.items()}
        write_note(folder, Note(blessed_at=now, model_digest=digest, **where))


def _lasting(uri: str, copy: str) -> str:
    """Where the next run can read an artifact, which is copied where that is nowhere."""
    if not is_private(uri):
        return uri
    io_utils.copy_dir(uri, copy)
    return copy
