"""The process that makes a TensorFlow Lite model, and the one that runs it.

`python -m components.exporter.tflite_child convert PART FORMAT SAMPLE TARGET`
`python -m components.exporter.tflite_child run MODEL TENSORS ANSWERS`
"""

import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from components.exporter.answers import write_answers
from components.exporter.process import MARK
from components.exporter.saved_model import SIGNATURE, figure
from components.exporter.tensor_files import read_examples


def convert(part: str, kind: str, sample: str, target: str) -> None:
    """Converts a SavedModel of one example a call, with TensorFlow Lite's own ops alone.

    Weights and activations of tflite_int8 are 8 bits wide throughout; its
    inputs and outputs stay float32, so that all formats are called alike.

    Args:
        part: The SavedModel.
        kind: tflite, tflite_fp16 or tflite_int8.
        sample: Folder of tensors of training examples; only tflite_int8 reads it.
        target: File to write.
    """
    converter = tf.lite.TFLiteConverter.from_saved_model(part, signature_keys=[SIGNATURE])
    if kind != "tflite":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "tflite_fp16":
        converter.target_spec.supported_types = [tf.float16]
    if kind == "tflite_int8":
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.representative_dataset = lambda: _named(Path(sample))
    Path(target).write_bytes(converter.convert())


def _named(sample: Path) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    for example in read_examples(sample):
        yield SIGNATURE, example


def run(model: str, tensors: str, answers: str) -> None:
    """Runs a model on every example, one at a time, on one thread.

    Args:
        model: The .tflite file.
        tensors: Folder of tensors.
        answers: File to write.
    """
    interpreter = tf.lite.Interpreter(model, num_threads=1)
    call = interpreter.get_signature_runner(SIGNATURE)
    outputs, milliseconds = [], []
    for example in read_examples(Path(tensors)):
        start = time.perf_counter()
        outputs.append(figure(call(**example)))
        milliseconds.append(1000 * (time.perf_counter() - start))
    write_answers(Path(answers), np.concatenate(outputs), milliseconds)


def reason_of(error: Exception) -> str:
    """Says in one sentence why the converter refused."""
    text = str(error)
    missing = re.findall(r"^\s*(?:TF Select|Custom) ops: (.+)$", text, re.MULTILINE)
    if missing:
        return f"TensorFlow Lite has no op of its own for: {', '.join(missing)}"
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return f"TensorFlow Lite's converter refused: {first[:300] or type(error).__name__}"


def main(arguments: list[str]) -> None:
    """Does one of the two; where it cannot, the last line that it leaves says why."""
    actions: dict[str, Callable[..., None]] = {"convert": convert, "run": run}
    try:
        actions[arguments[0]](*arguments[1:])
    except Exception as error:  # The converter's errors have no type of their own on every stack.
        raise SystemExit(f"{error}\n{MARK}{reason_of(error)}") from None


if __name__ == "__main__":
    main(sys.argv[1:])
