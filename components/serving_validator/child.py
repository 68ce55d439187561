"""What runs in the clean process: TensorFlow, a copy of the model, raw examples.

Started as a script, so that nothing of ours can be imported; process.py gives
it the request and judge.py reads what it writes. A new thing to try is a
function here and a key of the result.
"""

import collections
import json
import runpy
import sys
import time
from pathlib import Path
from typing import Any

_DEFAULT = "serving_default"
_BATCH = 32
_LATENCY_BATCHES = (1, 32)
# As many calls as fit, between these.
_CALLS = (5, 25)
_CALLS_SECONDS = 1.5
_WARM_UP_CALLS = 2


class Caller:
    """Calls a model's signatures on raw examples."""

    def __init__(self, tf: Any, model: Any, request: dict[str, Any], examples: list[bytes]) -> None:
        self._tf = tf
        self._signatures = dict(model.signatures)
        self._examples = examples
        self._some = [examples[row] for row in request["rows"]]
        #: What calls took, by signature and number of examples.
        self.milliseconds: dict[tuple[str, int], list[float]] = collections.defaultdict(list)
        types = {name: getattr(tf, one["dtype"]) for name, one in request["columns"].items()}
        self._columns = {
            name: tf.io.FixedLenFeature([], types[name], default_value=one["default"])
            for name, one in request["columns"].items()
        }

    def how(self, name: str) -> str:
        """Which way a signature is called: by examples, by columns, or by tensors."""
        if name == "serving_tensors":
            return "tensors"
        inputs = self._signatures[name].structured_input_signature[1]
        return "examples" if set(inputs) == {"examples"} else "columns"

    def examples(self, name: str) -> list[bytes]:
        """What a signature is tried on: all examples or, if another one is, some."""
        return self._examples if name == _DEFAULT else self._some

    def call(self, name: str, size: int, start: int = 0) -> dict[str, Any]:
        """Calls a signature on `size` of its examples, which begin again after the last."""
        inputs = self._inputs(name, size, start)
        started = time.monotonic()
        outputs = self._signatures[name](**inputs)
        given = {key: value.numpy() for key, value in outputs.items()}
        self.milliseconds[name, size].append(1000 * (time.monotonic() - started))
        return given

    def _inputs(self, name: str, size: int, start: int) -> dict[str, Any]:
        examples = self.examples(name)
        rows = [examples[(start + row) % len(examples)] for row in range(size)]
        serialized = self._tf.constant(rows, self._tf.string, [size])
        if self.how(name) == "examples":
            return {"examples": serialized}
        if self.how(name) == "columns":
            given = self._tf.io.parse_example(serialized, self._columns)
        else:
            given = self._signatures["prepared_examples"](examples=serialized)
        wanted = self._signatures[name].structured_input_signature[1]
        return {key: given[key] for key in wanted}


def main(path: str) -> None:
    """Tries a model.

    Args:
        path: JSON with `model`, `examples` (a TFRecord file), `rows` (of
            those, for signatures other than `serving_default`), `columns`,
            `batch_sizes`, `text` (whether to import tensorflow_text), `hidden`
            (folders that must not be read), and where `stage`, `result` and
            `outputs` go.
    """
    request = json.loads(Path(path).read_text(encoding="utf-8"))
    stage = Path(request["stage"])
    hide = runpy.run_path(str(Path(__file__).with_name("hide.py")))["hide"]
    hidden = request["hidden"]
    result: dict[str, Any] = {"hidden": bool(hidden) and hide(hidden)}
    stage.write_text("importing TensorFlow")
    import tensorflow as tf

    if request["text"]:
        import tensorflow_text  # noqa: F401  (the model needs its ops)
    stage.write_text("loading the model")
    try:
        started = time.monotonic()
        model = tf.saved_model.load(request["model"])
        result["load_seconds"] = time.monotonic() - started
    except Exception as error:
        result["error"] = _text(error)
    else:
        records = tf.data.TFRecordDataset(request["examples"])
        caller = Caller(tf, model, request, list(records.as_numpy_iterator()))
        result["signatures"] = {
            name: try_signature(caller, name, request, stage) for name in sorted(model.signatures)
        }
        stage.write_text("measuring how long calls take")
        if result["signatures"].get(_DEFAULT, {}).get("error") == "":
            result["latency"] = [measure(caller, size) for size in _LATENCY_BATCHES]
    result["imported"] = sorted({name.partition(".")[0] for name in sys.modules})
    Path(request["result"]).write_text(json.dumps(result), encoding="utf-8")


def try_signature(
    caller: Caller, name: str, request: dict[str, Any], stage: Path
) -> dict[str, Any]:
    """Calls one signature on each of its examples, and once with each batch size.

    Returns:
        `examples`, `error` (empty if there was none) and `batches`: of each
        size `error`, or else `rows`, `finite`, and `difference`, the largest
        between a number and the same example's in another batch.
    """
    import numpy as np

    stage.write_text(f"calling {name}")
    count = len(caller.examples(name))
    parts = []
    try:
        for start in range(0, count, _BATCH):
            parts.append(caller.call(name, min(_BATCH, count - start), start))
    except Exception as error:
        return {"examples": count, "error": _text(error), "batches": []}
    outputs = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    np.savez(f"{request['outputs']}/{name}.npz", **{k: _plain(v) for k, v in outputs.items()})
    batches = []
    for size in request["batch_sizes"]:
        # Tensors come from whoever converts the model, who has some.
        if size == 0 and caller.how(name) == "tensors":
            continue
        stage.write_text(f"calling {name} with a batch of {size}")
        try:
            # Of that size is what it was given first.
            given = parts[0] if size == _BATCH <= count else caller.call(name, size)
            batches.append({"size": size, "error": "", **_compare(given, size, outputs)})
        except Exception as error:
            batches.append({"size": size, "error": _text(error)})
    return {"examples": count, "error": "", "batches": batches}


def _compare(given: dict[str, Any], size: int, outputs: dict[str, Any]) -> dict[str, Any]:
    import numpy as np

    rows = {len(value) if value.ndim else None for value in given.values()}
    largest, finite = 0.0, True
    for key, value in given.items():
        if np.issubdtype(value.dtype, np.floating) and rows == {size} and size:
            expected = np.take(outputs[key], np.arange(size) % len(outputs[key]), axis=0)
            far = np.abs(value - expected) / np.maximum(1.0, np.abs(expected))
            largest = max(largest, float(np.nanmax(far, initial=0.0)))
            finite = finite and bool(np.isfinite(value).all())
    rows_given = rows.pop() if len(rows) == 1 else None
    return {"rows": rows_given, "difference": largest, "finite": finite}


def measure(caller: Caller, size: int) -> dict[str, Any]:
    """Times calls of `serving_default`, each with other examples while there are some.

    Those that were made before, to see what it answers, count as well.
    """
    taken = caller.milliseconds[_DEFAULT, size]
    fewest, most = (_WARM_UP_CALLS + calls for calls in _CALLS)
    try:
        while len(taken) < fewest or (
            len(taken) < most and sum(taken[_WARM_UP_CALLS:]) < 1000 * _CALLS_SECONDS
        ):
            caller.call(_DEFAULT, size, len(taken) * size)
    except Exception as error:
        return {"batch": size, "error": _text(error)}
    return {"batch": size, "error": "", "milliseconds": taken[_WARM_UP_CALLS:]}


def _plain(value: Any) -> Any:
    """Strings without pickle; of rows that are all the same, one."""
    if value.dtype != object:
        return value
    if value.ndim == 2 and len(value) and (value == value[:1]).all():
        value = value[:1]
    return value.astype("S")


def _text(error: Exception) -> str:
    """The first line that says something."""
    lines = [one.strip() for one in str(error).splitlines() if one.strip()]
    noise = ("Graph execution error", "Detected at node", "<stack traces", "File ")
    said = [one for one in lines if not one.startswith(noise)]
    return (said or lines or [type(error).__name__])[0]


if __name__ == "__main__":
    main(sys.argv[1])
