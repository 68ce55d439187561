"""The rows of one slice to a table of predictions and a list of what has none."""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import tensorflow as tf

from components.example_gen.rows import Quarantined, Row
from components.example_gen.screen import Usable
from preprocessing.ahead import map_ahead
from serving.batch.layout import Layout
from serving.batch.model import PredictFn

BATCH_ROWS = 32
# While the layers of one batch are computed, the pictures of another are decoded.
BATCHES_AT_A_TIME = 2


def predict_rows(
    rows: Iterable[Usable | Quarantined],
    predict: PredictFn,
    layout: Layout,
    on_rows: Callable[[int], None],
) -> tuple[pa.Table, list[Quarantined]]:
    """Predicts the rows of one slice.

    A batch that the model refuses is asked row by row, so that one row costs no
    other its prediction. A row whose prediction is no finite number is set
    aside as well.

    Args:
        rows: The slice, as `read_slice` gives it; some batches are read ahead.
        predict: The model.
        layout: The columns of the output.
        on_rows: Told how many more rows are done.

    Returns:
        The predictions in the rows' order, and the rows that have none.
    """

    def ask(batch: list[Usable | Quarantined]) -> tuple[int, pa.Table, list[Quarantined]]:
        usable, answers, aside = _ask(batch, predict)
        return len(batch), layout.table(usable, answers), aside

    tables, set_aside = [layout.schema.empty_table()], []
    for count, table, aside in map_ahead(ask, _batches(rows), BATCHES_AT_A_TIME):
        tables.append(table)
        set_aside += aside
        on_rows(count)
    return pa.concat_tables(tables).combine_chunks(), set_aside


def _batches(rows: Iterable[Usable | Quarantined]) -> Iterator[list[Usable | Quarantined]]:
    remaining = iter(rows)
    while batch := list(itertools.islice(remaining, BATCH_ROWS)):
        yield batch


def _ask(
    batch: Sequence[Usable | Quarantined], predict: PredictFn
) -> tuple[list[Row], dict[str, np.ndarray], list[Quarantined]]:
    answers = iter(_answers([one.example for one in batch if isinstance(one, Usable)], predict))
    rows: list[Row] = []
    kept: list[dict[str, np.ndarray]] = []
    set_aside: list[Quarantined] = []
    for one in batch:
        if isinstance(one, Quarantined):
            set_aside.append(one)
            continue
        row, answer = one.inspected.row, next(answers)
        if isinstance(answer, str):
            set_aside.append(Quarantined(row.source, answer, row.split, row.label or None))
        else:
            rows.append(row)
            kept.append(answer)
    names = kept[0] if kept else ()
    return rows, {name: np.concatenate([one[name] for one in kept]) for name in names}, set_aside


def _answers(examples: Sequence[bytes], predict: PredictFn) -> list[dict[str, np.ndarray] | str]:
    """Gives for each example its outputs, `[1, …]` each, or why there are none."""
    if not examples:
        return []
    try:
        outputs = predict(examples)
    except tf.errors.InvalidArgumentError as error:
        if len(examples) == 1:
            return [f"the model refuses it: {_plain(error.message)}"]
        return [answer for one in examples for answer in _answers([one], predict)]
    return [_answer(outputs, row) for row in range(len(examples))]


def _answer(outputs: dict[str, np.ndarray], row: int) -> dict[str, np.ndarray] | str:
    answer = {name: output[row : row + 1] for name, output in outputs.items()}
    numbers = [one for one in answer.values() if one.dtype != object]
    if not all(np.isfinite(one).all() for one in numbers):
        return "the prediction is no finite number"
    return answer


def _plain(message: str) -> str:
    """Finds in TensorFlow's message what was said: before the op's name, behind the trace."""
    said = message.split("\n\t [[")[0].strip().splitlines()[-1]
    return re.sub(r"\{\{.*?\}\}\s*", "", said)
