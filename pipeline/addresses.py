"""Whether the addresses of a config, such as gs://bucket/graft, can be used: asked before a run.

A new place that may be at an address is a line in `check_addresses`.
"""

import posixpath
import secrets
from collections.abc import Callable

import tensorflow as tf

from components.pusher.target import check_address
from pipeline.config import Config
from preprocessing.errors import UsageError, explain

_SEE = "docs/storage.md"


def check_addresses(config: Config) -> None:
    """Looks at what will be read, and writes a file where will be written, and removes it.

    Args:
        config: The checked config. Its folders on this machine are not looked at.

    Raises:
        UsageError: TensorFlow has no file system for an address, or is not let in.
    """
    sources = {"data.source.path": config.data.source.path}
    sources |= {"predict.source.path": config.predict.source.path} if config.predict else {}
    for key, paths in sources.items():
        for path in paths.values() if isinstance(paths, dict) else [paths]:
            _check(key, path, "read", tf.io.gfile.exists)
    _check("workdir", config.workdir, "written", _write)
    _check("cache.features", config.cache.features or "", "written", _write)
    _check("cache.spans", config.cache.spans or "", "written", _write)
    _check("push.path", config.push.path if config.push else "", "written", _write)


def _check(key: str, path: str, what: str, touch: Callable[[str], object]) -> None:
    if "://" not in path:
        return
    check_address(path, key)
    try:
        touch(path)
    except tf.errors.OpError as error:
        said = (error.message or "").strip().splitlines()[:1]
        why = f"{key}: this address cannot be {what}: {''.join(said) or type(error).__name__}"
        raise UsageError(explain(why, path, see=_SEE)) from None


def _write(folder: str) -> None:
    # No server takes such a name for a version.
    path = posixpath.join(folder, f".graft-{secrets.token_hex(4)}")
    tf.io.gfile.makedirs(folder)
    with tf.io.gfile.GFile(path, "w") as file:
        file.write("may be written")
    tf.io.gfile.remove(path)
