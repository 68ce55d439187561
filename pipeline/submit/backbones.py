"""Puts vendored backbones where the tasks of a platform read them, before a run starts.

Tasks check the content's digest, so a copy that was cut short is found there;
here, a file that has its size already is not sent again.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from pipeline.kubeflow.submit_file import Copy
from preprocessing.errors import UsageError, explain
from preprocessing.progress import report


def copy_backbones(copies: Sequence[Copy]) -> None:
    """Copies each folder to its address.

    Args:
        copies: What goes where; nothing is imported for none.

    Raises:
        UsageError: A folder is not here, or its address cannot be written.
    """
    if not copies:
        return
    import tensorflow as tf

    for one in copies:
        files = sorted(path for path in Path(one.source).rglob("*") if path.is_file())
        if not files:
            what = "A backbone that goes with the pipeline is no longer here"
            raise UsageError(explain(what, one.source, (), "graft compile vendors it again"))
        for number, path in enumerate(files, start=1):
            target = f"{one.target.rstrip('/')}/{path.relative_to(one.source).as_posix()}"
            try:
                _copy(path, target)
            except tf.errors.OpError as error:
                what = f"A backbone cannot be copied: {error.message}"
                raise UsageError(explain(what, target)) from None
            report("Backbones", number, len(files), "files")


def _copy(path: Path, target: str) -> None:
    import tensorflow as tf

    files = tf.io.gfile
    if files.exists(target) and files.stat(target).length == path.stat().st_size:
        return
    files.makedirs(os.path.dirname(target))
    files.copy(str(path), target, overwrite=True)
