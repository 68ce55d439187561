"""What batch prediction is asked for, and what came of it; imports no TensorFlow."""

from preprocessing.config import Record

# What an output's name may end with; see formats.py.
SUFFIXES = (".parquet", ".jsonl", ".csv")


class BatchRequest(Record):
    """What the user asks for.

    Attributes:
        model: See find.find_model.
        input: See find.find_source.
        output: Its suffix names its format; see formats.py.
        kind: Of the input; None where its name tells.
        keep: Columns of the input to take along.
        max_unreadable: Share of the rows that may be set aside, 0 to 1.
        shard_rows: Rows in one shard, at most.
        overwrite: Whether an output that exists is replaced, and parts of
            something else are dropped.
        beam_args: Beam's own options, behind those of a local run.
    """

    model: str
    input: str
    output: str
    kind: str | None = None
    keep: tuple[str, ...] = ()
    max_unreadable: float = 0.05
    shard_rows: int = 512
    overwrite: bool = False
    beam_args: tuple[str, ...] = ()


class BatchReport(Record):
    """What came of it.

    Attributes:
        model: Folder of the model that was taken.
        newest_of: Of how many versions it is the newest, where there are others.
        output: The file.
        rows: Rows of the input.
        predicted: Rows of the output.
        set_aside: Rows that have no prediction.
        quarantine: The file that lists them; None where there are none.
        resumed_rows: Rows that an earlier run had done already.
    """

    model: str
    newest_of: int | None
    output: str
    rows: int
    predicted: int
    set_aside: int
    quarantine: str | None
    resumed_rows: int
