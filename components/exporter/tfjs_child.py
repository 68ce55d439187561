"""The process that makes a TensorFlow.js model.

`python -m components.exporter.tfjs_child PART TARGET`, with tensorflowjs on
PYTHONPATH. That package asks for JAX, Flax and Decision Forests, one of which
pins another TensorFlow; it imports them at once and uses them only for models
made with them, so empty modules stand in for them here.
"""

import importlib.util
import json
import sys
import types
from pathlib import Path

from components.exporter.process import MARK

_SIGNATURE = "serving_tensors"
_UNUSED = (
    "tensorflow_decision_forests",
    "flax",
    "jax",
    "jax.numpy",
    "jax.experimental",
    "jax.experimental.jax2tf",
)


def stand_in() -> None:
    """Puts empty modules where tensorflowjs imports what is not installed and not used."""
    for name in _UNUSED:
        parent, _, child = name.rpartition(".")
        if parent not in sys.modules and importlib.util.find_spec(name):
            continue
        sys.modules[name] = types.ModuleType(name)
        if parent:
            setattr(sys.modules[parent], child, sys.modules[name])


def convert(part: str, target: str) -> None:
    """Converts a SavedModel to a graph model: model.json and files of weights."""
    stand_in()
    from tensorflowjs.converters.tf_saved_model_conversion_v2 import convert_tf_saved_model

    # Models of transformers check their inputs by ops that browsers lack.
    convert_tf_saved_model(part, target, signature_def=_SIGNATURE, strip_debug_ops=True)
    _let_shapes_be(Path(target) / "model.json")


def _let_shapes_be(path: Path) -> None:
    """Takes the checks of shapes out of a model.

    TensorFlow.js 4.22 looks for the shape of EnsureShape among its inputs,
    where TensorFlow has an attribute, and fails.
    """
    model = json.loads(path.read_text(encoding="utf-8"))
    for node in model["modelTopology"]["node"]:
        if node["op"] == "EnsureShape":
            node["op"] = "Identity"
            del node["attr"]["shape"]
    path.write_text(json.dumps(model), encoding="utf-8")


def main(arguments: list[str]) -> None:
    """Converts; where that is not possible, the last line that it leaves says why."""
    try:
        convert(*arguments)
    except Exception as error:  # Whatever the converter raises is its reason.
        said = ": ".join(str(error).split("\n")[:2]) or type(error).__name__
        what = f"TensorFlow.js's converter refused: {said[:300]}"
        raise SystemExit(f"{error}\n{MARK}{what}") from None


if __name__ == "__main__":
    main(sys.argv[1:])
