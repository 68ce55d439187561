"""Loads a SavedModel as a server would and answers its warm-up requests; run as a program.

`python loading.py FOLDER REPORT`, in a process of its own (see load_check.py).
Imports nothing of ours, so that what the model needs is all that it can have:
TensorFlow, and tensorflow_text where the model says that it takes texts.
"""

import json
import os
import sys
import time
from typing import Any

WARMUP = "assets.extra/tf_serving_warmup_requests"
_INFO = "assets.extra/model.json"


def main(folder: str, report: str) -> None:
    """Writes `{"requests": …, "seconds": …}`, or `{"error": …}`, into `report`."""
    try:
        outcome = _load(folder)
    except Exception as error:
        outcome = {"error": f"{type(error).__name__}: {error}"}
    with open(report, "w", encoding="utf-8") as file:
        json.dump(outcome, file)


def _load(folder: str) -> dict[str, Any]:
    """Loads the model and answers its requests; says how many and how long both took."""
    import tensorflow as tf

    if _has_texts(folder):
        import tensorflow_text  # noqa: F401
    # Only now: a process that waited has imported them already.
    started = time.monotonic()
    requests = _answer(folder, tf)
    return {"requests": requests, "seconds": round(time.monotonic() - started, 2)}


def _answer(folder: str, tf: Any) -> int:
    # Each signature is called a few times only, which are faster than its graph is optimised.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    model = tf.saved_model.load(folder)
    path = os.path.join(folder, WARMUP)
    if not os.path.exists(path):
        return 0
    from tensorflow_serving.apis import prediction_log_pb2

    count = 0
    for record in tf.data.TFRecordDataset(path):
        request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        inputs = {
            name: tf.constant(tf.make_ndarray(tensor)) for name, tensor in request.inputs.items()
        }
        answer = model.signatures[request.model_spec.signature_name](**inputs)
        for name, output in answer.items():
            if output.dtype.is_floating and not tf.reduce_all(tf.math.is_finite(output)):
                raise ValueError(f"{name} of warm-up request {count + 1} is not finite")
        count += 1
    return count


def _has_texts(folder: str) -> bool:
    try:
        with open(os.path.join(folder, _INFO), encoding="utf-8") as file:
            features = json.load(file)["features"]
    except FileNotFoundError:
        return False
    return any(feature["kind"] == "text" for feature in features.values())


if __name__ == "__main__":
    main(*sys.argv[1:])
