"""Which operations a model is made of, and whether TensorFlow Serving has them.

stock_ops/<version>.txt lists what the official server can run on a CPU, one
operation a line, `tensorflow_text` behind those that it has from TF-Text.
docs/serving-validation.md says where the lists come from; another version is
another file there and its name in config.ServingVersion.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple, get_args

from tensorflow.core.protobuf import saved_model_pb2

from components.serving_validator.config import ServingVersion

_FOLDER = Path(__file__).with_name("stock_ops")
_TEXT = "tensorflow_text"


class OpCheck(NamedTuple):
    """The operations of a model.

    Attributes:
        all: Their types, sorted.
        text: Those that need TF-Text.
        missing: Those that the server does not have.
    """

    all: tuple[str, ...]
    text: tuple[str, ...]
    missing: tuple[str, ...]


def read_ops(model: Path) -> set[str]:
    """Reads the types of all operations of a SavedModel, in graphs and functions.

    Args:
        model: Its folder.

    Raises:
        OSError: If it has no saved_model.pb.
        google.protobuf.message.DecodeError: If that is not one.
    """
    saved = saved_model_pb2.SavedModel.FromString((model / "saved_model.pb").read_bytes())
    ops = set()
    for graph in (one.graph_def for one in saved.meta_graphs):
        called = {one.signature.name for one in graph.library.function}
        nodes = [*graph.node, *(node for one in graph.library.function for node in one.node_def)]
        ops |= {node.op for node in nodes} - called
    return ops


def check_ops(ops: Collection[str], stock: Mapping[str, bool]) -> OpCheck:
    """Looks operations up.

    Args:
        ops: Their types.
        stock: What the server has, see `read_stock_ops`.
    """
    needs_text = {op for op in ops if stock.get(op) or op in _text_ops()}
    missing = {op for op in ops if op not in stock}
    return OpCheck(tuple(sorted(ops)), tuple(sorted(needs_text)), tuple(sorted(missing)))


def read_stock_ops(version: str) -> dict[str, bool]:
    """Reads which operations a version of TensorFlow Serving has.

    Returns:
        By type, whether it has it from TF-Text.
    """
    lines = (_FOLDER / f"{version}.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    return {row[0]: _TEXT in row[1:] for row in rows}


def pick_version(tensorflow: str) -> str:
    """The newest server that is no newer than a TensorFlow, or else the oldest."""

    def number(version: str) -> tuple[int, ...]:
        return tuple(map(int, version.split(".")[:2]))

    versions = sorted(get_args(ServingVersion), key=number)
    return next(
        (one for one in reversed(versions) if number(one) <= number(tensorflow)), versions[0]
    )


def _text_ops() -> set[str]:
    """All that any version has from TF-Text: an older one may lack what a model needs."""
    return {
        op
        for version in get_args(ServingVersion)
        for op, text in read_stock_ops(version).items()
        if text
    }
