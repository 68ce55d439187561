"""Where the files of an address lie inside of a container.

TensorFlow reads gs:// by itself. For s3:// and minio:// it has no file system; there
the launcher of Kubeflow Pipelines copies a task's declared inputs to a folder before
the task starts, and what the task has left in its outputs' folders back after it.
A new scheme is a line in `_MOUNTS`.
"""

import os

_MOUNTS = {"s3://": "s3", "minio://": "minio"}
# The folder in which the launcher's folders lie; "/" in a container.
MOUNTS_VARIABLE = "GRAFT_LAUNCHER_MOUNTS"


def to_path(uri: str) -> str:
    """Says where a task finds what has this address.

    Args:
        uri: Any address or path.

    Returns:
        The launcher's folder for s3:// and minio://, anything else as it is.
    """
    for scheme, mount in _MOUNTS.items():
        if uri.startswith(scheme):
            return os.path.join(_root(), mount, uri.removeprefix(scheme))
    return uri


def to_uri(path: str) -> str:
    """Says by which address others know a path of this container; undoes `to_path`.

    Args:
        path: Any address or path.

    Returns:
        The address for what lies in a launcher's folder, anything else as it is.
    """
    for scheme, mount in _MOUNTS.items():
        folder = os.path.join(_root(), mount, "")
        if path.startswith(folder):
            return scheme + path.removeprefix(folder)
    return path


def is_private(path: str) -> bool:
    """Whether only this task, or one that declares it as its input, can read a path."""
    return to_uri(to_path(path)) != to_path(path)


def _root() -> str:
    return os.environ.get(MOUNTS_VARIABLE, "/")
