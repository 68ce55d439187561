"""Tensors of many examples as files that Python and Node read one example at a time.

A folder holds `<name>.bin` for each tensor, row after row as they lie in memory,
and `tensors.json`: `{"examples": n, "tensors": {name: {"dtype", "shape"}}}` with
the shape of one example.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

INDEX = "tensors.json"


def write_tensors(folder: Path, batches: Iterable[Mapping[str, np.ndarray]]) -> int:
    """Writes batches of tensors, one batch in memory at a time.

    Args:
        folder: Folder to make.
        batches: By name, `[batch, …]` float32 or int32, the same names each time.

    Returns:
        How many examples there are.
    """
    folder.mkdir(parents=True)
    examples = 0
    tensors: dict[str, dict[str, object]] = {}
    for batch in batches:
        for name, values in batch.items():
            tensors[name] = {"dtype": values.dtype.name, "shape": list(values.shape[1:])}
            with (folder / f"{name}.bin").open("ab") as file:
                file.write(np.ascontiguousarray(values).tobytes())
        examples += len(next(iter(batch.values())))
    index = {"examples": examples, "tensors": tensors}
    (folder / INDEX).write_text(json.dumps(index), encoding="utf-8")
    return examples


def read_tensors(folder: Path) -> dict[str, np.ndarray]:
    """Maps the tensors of a folder into memory, `[examples, …]` by name."""
    index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    return {
        name: np.memmap(
            folder / f"{name}.bin",
            one["dtype"],
            "r",
            shape=(index["examples"], *one["shape"]),
        )
        for name, one in index["tensors"].items()
    }


def read_examples(folder: Path) -> Iterator[dict[str, np.ndarray]]:
    """Yields the tensors of one example after the other, `[1, …]` by name."""
    tensors = read_tensors(folder)
    for row in range(len(next(iter(tensors.values())))):
        yield {name: np.array(values[row : row + 1]) for name, values in tensors.items()}
