"""What is sent: from files and words to the columns that a signature takes.

Imports no TensorFlow.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from preprocessing.errors import DataError, UsageError, explain

_STRING = "DT_STRING"
_WHOLE = ("DT_INT8", "DT_INT16", "DT_INT32", "DT_INT64", "DT_UINT8", "DT_UINT32", "DT_UINT64")
_REAL = ("DT_FLOAT", "DT_DOUBLE", "DT_HALF")
_HINTS = {_STRING: "@FILE or a text", "DT_BOOL": "true or false"}
_TRUTH = {"true": True, "1": True, "false": False, "0": False}


class Rows(NamedTuple):
    """What to ask.

    Attributes:
        names: What the user calls each row.
        columns: For each input its values: bytes, float, int or bool.
    """

    names: list[str]
    columns: dict[str, list[Any]]

    def part(self, start: int, end: int) -> "Rows":
        """Takes some of the rows."""
        columns = {name: column[start:end] for name, column in self.columns.items()}
        return Rows(self.names[start:end], columns)


def build_rows(
    inputs: Mapping[str, str],
    files: Sequence[str] = (),
    texts: Sequence[str] = (),
    values: Sequence[str] = (),
) -> Rows:
    """Brings what the user gave to the inputs of a signature.

    Args:
        inputs: Type of each input, such as DT_STRING, by name.
        files: A row each: its bytes, for the one input that takes strings.
        texts: Likewise.
        values: `INPUT=VALUE` or `INPUT=@FILE`; an input's second value is the
            second row's.

    Raises:
        UsageError: If they do not fit the inputs.
        DataError: If a file cannot be read.
    """
    if bool(files) + bool(texts) + bool(values) != 1:
        raise UsageError("Give files, or --text, or --input, and only one of these")
    if values:
        return _rows_of_values(inputs, values)
    if list(inputs.values()) != [_STRING]:
        wanted = [f"--input {name}={_HINTS.get(one, 'NUMBER')}" for name, one in inputs.items()]
        what = "The model does not take one text or file alone"
        raise UsageError(explain(what, [*files, *texts], wanted))
    column = [_read(one) for one in files] or [one.encode() for one in texts]
    return Rows([*files, *texts], {next(iter(inputs)): column})


def _rows_of_values(inputs: Mapping[str, str], values: Sequence[str]) -> Rows:
    columns: dict[str, list[Any]] = {name: [] for name in inputs}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals:
            raise UsageError(explain("--input needs INPUT=VALUE or INPUT=@FILE", value))
        if name not in columns:
            raise UsageError(explain("The model has no such input", name, sorted(inputs)))
        columns[name].append(_to_value(name, inputs[name], text))
    counts = {name: len(column) for name, column in columns.items()}
    if len(set(counts.values())) != 1:
        raise UsageError(explain("Each input needs as many values as the others", counts))
    rows = len(next(iter(columns.values())))
    return Rows([str(at + 1) for at in range(rows)], columns)


def _to_value(name: str, dtype: str, text: str) -> Any:
    try:
        if dtype == _STRING:
            return _read(text[1:]) if text.startswith("@") else text.encode()
        if dtype in _WHOLE:
            return int(text)
        if dtype in _REAL:
            return float(text)
        return _TRUTH[text.lower()]
    except (ValueError, KeyError):
        raise UsageError(explain(f"--input {name} takes a {dtype}", text)) from None


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise DataError(explain(f"The file cannot be read: {error.strerror}", path)) from None
