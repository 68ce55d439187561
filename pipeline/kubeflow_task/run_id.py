"""Which run of a platform a task is of; TFX's entry point does not tell its executor.

A platform puts the id into a parameter of the task where a compiled spec has one of
`PLACEHOLDERS`. It is the one that `graft submit` prints.
"""

from typing import Any

# The parameter; no component has one of this name.
RUN_ID = "graft_run_id"
PLACEHOLDERS = {"vertex": "{{$.pipeline_job_name}}", "kubeflow": "{{$.pipeline_job_uuid}}"}


def take_run_id(parameters: dict[str, Any]) -> str:
    """Takes the id from among the parameters that a task is told.

    Args:
        parameters: The task's, which are changed.

    Returns:
        The id; empty of a task that is told none, or by a platform that does not
        know the placeholder.
    """
    told = str(parameters.pop(RUN_ID, ""))
    return "" if told in PLACEHOLDERS.values() else told
