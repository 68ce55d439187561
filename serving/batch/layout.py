"""Which columns predictions have, whatever file they are written to.

source            where the row is: a path, `table.csv:row` or `file:record`
actual            its label, where some row of the input has one
<kept columns>    as text
label             the predicted class; several with the label's separator
score             its probability; of a binary task the positive label's
labels            multilabel: those given, the most probable first; no csv
value             regression: the number
probability:NAME  of each class
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from components.example_gen.rows import Row
from preprocessing.cells import number_in
from preprocessing.errors import UsageError, explain
from preprocessing.model_info import ModelInfo

PROBABILITY = "probability:"
# The one object that they are in jsonl.
PROBABILITIES = "probabilities"
# What each task's model gives that becomes columns; see trainer/tasks.
_OUTPUTS: Mapping[str, tuple[str, ...]] = {
    "multiclass": ("label", "score"),
    "binary": ("label", "score"),
    "multilabel": ("label", "labels"),
    "regression": ("value",),
}
_TYPES = {"label": pa.string(), "labels": pa.list_(pa.string())}


class Layout(NamedTuple):
    """What the columns depend on.

    Attributes:
        task: The label's.
        classes: In the order of the probabilities; none for numbers.
        labelled: Whether some row has a label.
        keep: Columns of the input that are taken along.
    """

    task: str
    classes: tuple[str, ...]
    labelled: bool
    keep: tuple[str, ...]

    @classmethod
    def of(cls, info: ModelInfo, labelled: bool, keep: Sequence[str]) -> "Layout":
        """Puts them together.

        Raises:
            UsageError: If a kept column would have the name of another, in
                whichever format.
        """
        layout = cls(info.label.task, info.classes, labelled, ())
        own = {*layout.schema.names, *([PROBABILITIES] if info.classes else [])}
        for name in keep:
            if name in own or name.startswith(PROBABILITY):
                raise UsageError(explain("--keep: the output has a column of this name", name))
        return layout._replace(keep=tuple(keep))

    @property
    def schema(self) -> pa.Schema:
        """Names and types, in their order."""
        number = self.task == "regression"
        fields = [pa.field("source", pa.string())]
        if self.labelled:
            fields.append(pa.field("actual", pa.float64() if number else pa.string()))
        fields += [pa.field(name, pa.string()) for name in self.keep]
        fields += [pa.field(name, _TYPES.get(name, pa.float32())) for name in _OUTPUTS[self.task]]
        fields += [pa.field(f"{PROBABILITY}{name}", pa.float32()) for name in self.classes]
        return pa.schema(fields)

    def table(self, rows: Sequence[Row], outputs: Mapping[str, np.ndarray]) -> pa.Table:
        """Puts rows and what the model says of them side by side.

        Args:
            rows: What was asked.
            outputs: By name, `[rows, …]`; nothing where there are no rows.

        Returns:
            The table, with `schema`.
        """
        if not rows:
            return self.schema.empty_table()
        columns: dict[str, Any] = {"source": [row.source for row in rows]}
        if self.labelled:
            columns["actual"] = [self._actual(row.label) for row in rows]
        for name in self.keep:
            columns[name] = [row.carried[name] for row in rows]
        for name in _OUTPUTS[self.task]:
            columns[name] = _values(outputs[name])
        for position, name in enumerate(self.classes):
            columns[f"{PROBABILITY}{name}"] = outputs["probabilities"][:, position]
        schema = self.schema
        arrays = [pa.array(columns[field.name], field.type) for field in schema]
        return pa.Table.from_arrays(arrays, schema=schema)

    def _actual(self, label: str) -> str | float | None:
        return number_in(label) if self.task == "regression" else label or None


def _values(output: np.ndarray) -> Any:
    """Texts come as bytes; of several labels the empty ones were not given."""
    if output.dtype != object:
        return output
    if output.ndim == 1:
        return [value.decode() for value in output]
    return [[value.decode() for value in row if value] for row in output]
