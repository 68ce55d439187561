"""Which module makes and runs which format; a new one is one module and one line here."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from components.exporter import tfjs, tflite
from components.exporter.config import Format
from components.exporter.material import Material


class Kind(NamedTuple):
    """What is done with one format; both raise ExportError where it cannot be.

    Attributes:
        tolerance: How far any output may be from the SavedModel's, in shares of
            it where that is above 1; a float32 format that is further off
            computes something else, whatever its accuracy.
        convert: From material, the folder to write to and seconds at most.
        run: From that folder, a folder of tensors, the file that the answers
            go to (answers.py) and seconds at most.
    """

    tolerance: float
    convert: Callable[[Material, Path, int], None]
    run: Callable[[Path, Path, Path, int], None]


FORMATS: Mapping[Format, Kind] = {
    "tflite": Kind(0.01, partial(tflite.convert, "tflite"), tflite.run),
    "tflite_fp16": Kind(math.inf, partial(tflite.convert, "tflite_fp16"), tflite.run),
    "tflite_int8": Kind(math.inf, partial(tflite.convert, "tflite_int8"), tflite.run),
    "tfjs": Kind(0.01, tfjs.convert, tfjs.run),
}
