"""Where the notes of blessed models lie."""

import posixpath

from pipeline.kubeflow_task.places import is_private


def blessed_folder(pipeline_root: str, name: str, push_path: str = "") -> str | None:
    """Says where one pipeline's notes lie.

    Args:
        pipeline_root: Of all runs.
        name: The pipeline's.
        push_path: What the server watches; empty where nothing is pushed.

    Returns:
        A folder below the root; beside the pushed models if only the launcher of
        Kubeflow Pipelines reads and writes the root; None if it has no other
        place either, so that no run can have a baseline.
    """
    if not is_private(pipeline_root):
        return posixpath.join(pipeline_root, "blessed", name)
    if push_path and not is_private(push_path):
        return push_path.rstrip("/") + ".blessed"
    return None
