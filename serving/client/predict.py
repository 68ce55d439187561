"""Predicts a few rows with a server's model: files, texts, or any inputs by name."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from serving.client.rows import Rows, build_rows
from serving.client.target import Target, parse_target
from serving.quiet import silence_imports

# Rows, and bytes, in one request: servers refuse what is too large.
_BATCH = 32
_BYTES = 8 * 2**20


class Answer(NamedTuple):
    """What the model says of one row.

    Attributes:
        row: What the user calls it: a file, a text, or its number.
        outputs: By name.
    """

    row: str
    outputs: dict[str, Any]


class Client(Protocol):
    """One model of one server; RpcClient says what each method promises."""

    def inputs(self, signature: str) -> dict[str, str]: ...  # noqa: D102

    def predict(self, signature: str, rows: Rows) -> list[dict[str, Any]]: ...  # noqa: D102

    def close(self) -> None: ...  # noqa: D102


def predict(
    target: str,
    *,
    files: Sequence[str] = (),
    texts: Sequence[str] = (),
    values: Sequence[str] = (),
    name: str | None = None,
    signature: str = "serving_default",
    seconds: float = 30.0,
) -> list[Answer]:
    """Asks a server what its model says.

    Args:
        target: Its address; see target.py. What `is_target` tells is one.
        files: A row each; see rows.py.
        texts: Likewise.
        values: `INPUT=VALUE` or `INPUT=@FILE`.
        name: The model, where the address does not say.
        signature: Which of the model's.
        seconds: That one request may take.

    Returns:
        An answer for each row, in their order.

    Raises:
        UsageError: If the address or the rows are wrong.
        DataError: If a file cannot be read.
        ServerError: If the server cannot be reached or refuses.
    """
    with _connected(parse_target(target, name), seconds) as client:
        rows = build_rows(client.inputs(signature), files, texts, values)
        outputs = []
        for start, end in _cut(rows):
            outputs += client.predict(signature, rows.part(start, end))
    return [Answer(row, one) for row, one in zip(rows.names, outputs, strict=True)]


def _cut(rows: Rows) -> Iterator[tuple[int, int]]:
    """Where to cut the rows into requests that a server takes."""
    start = size = 0
    for row in range(len(rows.names)):
        values = [column[row] for column in rows.columns.values()]
        added = sum(len(one) for one in values if isinstance(one, bytes))
        if row > start and (row - start == _BATCH or size + added > _BYTES):
            yield start, row
            start, size = row, 0
        size += added
    if rows.names:
        yield start, len(rows.names)


def describe(answers: Sequence[Answer]) -> str:
    """Writes a line for each answer: the label and its score, the number, or all outputs."""
    width = max((len(one.row) for one in answers), default=0)
    return "\n".join(f"{one.row:<{width}}  {_say(one.outputs)}" for one in answers)


def _say(outputs: dict[str, Any]) -> str:
    if "label" in outputs:
        score = f"  {outputs['score']:.3f}" if "score" in outputs else ""
        return f"{outputs['label'] or '(none)'}{score}"
    if set(outputs) in ({"value"}, {"output"}):
        return f"{next(iter(outputs.values()))}"
    return json.dumps(outputs, ensure_ascii=False)


@contextlib.contextmanager
def _connected(target: Target, seconds: float) -> Iterator[Client]:
    if target.protocol == "rest":
        from serving.client.rest import RestClient

        client: Client = RestClient(target, seconds)
    else:
        silence_imports()
        from serving.client.rpc import RpcClient

        client = RpcClient(target, seconds)
    try:
        yield client
    finally:
        client.close()
