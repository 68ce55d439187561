"""Runs batch prediction on Beam: one element is one slice; the rules are in the siblings.

Nothing but descriptions of slices goes through Beam. What is finished is on
disk, so that a run goes on where an earlier one was killed.
"""

import functools
import hashlib
import json
import time
from collections.abc import Iterator
from typing import NamedTuple

import apache_beam as beam
import tensorflow as tf
from absl import logging
from apache_beam.options.pipeline_options import PipelineOptions

from components.example_gen.rows import count_allowed, write_lines
from components.example_gen.slices import Plan, Slice, plan_slices, read_slice
from components.example_gen.sources.columns import Columns
from components.example_gen.workers import threads
from components.pusher.files import digest_model
from preprocessing import progress
from preprocessing.errors import DataError, QuarantineError, UsageError, explain
from preprocessing.model_info import ModelInfo, read_model_info
from serving.batch import tally
from serving.batch.find import FoundModel, check_paths, find_model, find_source, format_of
from serving.batch.formats import FORMATS
from serving.batch.layout import Layout
from serving.batch.model import load_model
from serving.batch.parts import Parts, alone, begin, drop_plan, put_together
from serving.batch.request import BatchReport, BatchRequest
from serving.batch.shard import predict_rows
from serving.batch.source import columns_of

STAGE = "Predict"
# In memory, in this process: the fastest of Beam's local ways.
_LOCAL_BEAM_ARGS = ("--runner=FnApiRunner",)
_LISTED = 10


class Job(NamedTuple):
    """What a worker must know.

    Attributes:
        model: Folder of the SavedModel.
        info: What it takes and gives.
        columns: What is asked of the rows.
        layout: The columns of the output.
        parts: Where predictions go.
        rows: Rows in all.
        allowed: Rows that may be set aside.
    """

    model: str
    info: ModelInfo
    columns: Columns
    layout: Layout
    parts: Parts
    rows: int
    allowed: int


def predict_batch(request: BatchRequest) -> BatchReport:
    """Predicts every row of an input.

    Args:
        request: What the user asks for.

    Returns:
        What came of it; the output is whole.

    Raises:
        UsageError: If what is asked for is not there, or does not fit together.
        QuarantineError: If more rows than allowed are unusable; what is
            predicted is kept for a next run.
    """
    check_paths(request)
    parts = Parts(request.output, format_of(request.output))
    found = find_model(request.model)
    try:
        tf.io.gfile.makedirs(parts.folder)
    except tf.errors.OpError as error:
        what = f"The output cannot be written: {error.message}"
        raise UsageError(explain(what, parts.output)) from error
    with alone(parts):
        return _predict_all(request, found, parts)


def _predict_all(request: BatchRequest, found: FoundModel, parts: Parts) -> BatchReport:
    try:
        job, plan = _prepare(request, found, parts)
    except Exception as error:
        drop_plan(parts)
        if isinstance(error, tf.errors.OpError):
            what = f"The input cannot be read: {error.message}"
            raise DataError(explain(what, request.input)) from error
        raise
    done = [one for number, one in enumerate(plan.slices) if parts.is_done(number)]
    resumed = sum(one.count for one in done)
    try:
        _run(request, job, plan, resumed)
    except Exception:
        # Beam gives other words to what a worker raised.
        _judge(job, plan, request.max_unreadable)
        raise
    _judge(job, plan, request.max_unreadable)
    return _finish(job, plan, found, resumed)


def _prepare(request: BatchRequest, found: FoundModel, parts: Parts) -> tuple[Job, Plan]:
    """Looks at the whole input before the model is loaded."""
    info = read_model_info(found.path)
    source = find_source(request.input, request.kind)
    # The label is taken along anyway.
    keep = tuple(name for name in dict.fromkeys(request.keep) if name != info.label.name)
    columns = columns_of(source, info, keep)
    layout = Layout.of(info, True, keep)
    plan = plan_slices(source, columns, parts.plan, request.shard_rows, info.classes)
    if not plan.rows:
        raise DataError(explain("The input has no rows", request.input))
    layout = layout._replace(labelled=plan.labelled)
    options = json.dumps([columns.model_dump(), layout, request.shard_rows], sort_keys=True)
    state = {
        "model": digest_model(found.path),
        "input": plan.digest,
        "options": f"sha256:{hashlib.sha256(options.encode()).hexdigest()}",
    }
    begin(parts, state, request.overwrite)
    allowed = count_allowed(request.max_unreadable, plan.rows)
    return Job(found.path, info, columns, layout, parts, plan.rows, allowed), plan


def _run(request: BatchRequest, job: Job, plan: Plan, resumed: int) -> None:
    todo = [pair for pair in enumerate(plan.slices) if not job.parts.is_done(pair[0])]
    logging.info("%d of %d shards are to be predicted", len(todo), len(plan.slices))
    set_aside = sum(1 for _ in job.parts.set_aside(len(plan.slices)))
    tally.restart(job.parts.folder, rows=resumed, set_aside=set_aside)
    if not todo:
        return
    progress.stage(STAGE, "started")
    progress.report(STAGE, resumed, job.rows, "rows")
    began = time.monotonic()
    options = PipelineOptions([*_LOCAL_BEAM_ARGS, *request.beam_args])
    with beam.Pipeline(options=options) as pipeline:
        _ = (
            pipeline
            | "Shards" >> beam.Create(todo)
            | "OneWorkerEach" >> beam.Reshuffle()
            | "Predict" >> beam.ParDo(PredictSlice(job))
        )
    progress.stage(STAGE, "run", time.monotonic() - began)


class PredictSlice(beam.DoFn):
    """Writes one part for each element `(number, Slice)`."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def setup(self) -> None:
        """Loads the model, once for each worker."""
        self._predict = load_model(self._job.model, self._job.info)

    def process(self, numbered: tuple[int, Slice]) -> Iterator[None]:
        """Predicts one slice.

        Raises:
            QuarantineError: If this worker has set aside more rows than allowed.
        """
        number, one = numbered
        job = self._job
        rows = read_slice(one, job.columns, threads())
        table, set_aside = predict_rows(rows, self._predict, job.layout, self._advance)
        write = functools.partial(FORMATS[job.parts.suffix].write, table)
        job.parts.finish(number, write, set_aside)
        if tally.add(job.parts.folder, "set_aside", len(set_aside)) > job.allowed:
            raise QuarantineError(f"More than {job.allowed} rows cannot be used")
        yield from ()

    def _advance(self, rows: int) -> None:
        done = tally.add(self._job.parts.folder, "rows", rows)
        progress.report(STAGE, done, self._job.rows, "rows")


def _judge(job: Job, plan: Plan, max_share: float) -> None:
    """Refuses a run in which too much cannot be used; lists it where the user looks."""
    quarantined = list(job.parts.set_aside(len(plan.slices)))
    if len(quarantined) <= job.allowed:
        return
    write_lines(job.parts.quarantine, quarantined)
    lines = [f"  {one.source}: {one.reason}" for one in quarantined[:_LISTED]]
    if len(quarantined) > _LISTED:
        lines.append(f"  … and {len(quarantined) - _LISTED} more")
    raise QuarantineError(
        f"{len(quarantined)} of {job.rows} rows cannot be used, more than "
        f"--max-unreadable {max_share:g} allows.\n"
        + "\n".join(lines)
        + f"\n  All of them so far: {job.parts.quarantine}"
        + "\n  What is predicted is kept: run again with a larger --max-unreadable to go on"
    )


def _finish(job: Job, plan: Plan, found: FoundModel, resumed: int) -> BatchReport:
    """Puts the parts together and takes them away."""
    count = len(plan.slices)
    parts = job.parts
    join = FORMATS[parts.suffix].join
    # The list first: an output that is there is whole, with all that belongs to it.
    set_aside = sum(1 for _ in parts.set_aside(count))
    if set_aside:
        write_lines(parts.quarantine, parts.set_aside(count))
    elif tf.io.gfile.exists(parts.quarantine):
        tf.io.gfile.remove(parts.quarantine)
    put_together(parts, count, lambda paths, file: join(paths, job.layout.schema, file))
    tf.io.gfile.rmtree(parts.folder)
    return BatchReport(
        model=found.path,
        newest_of=found.newest_of,
        output=parts.output,
        rows=plan.rows,
        predicted=plan.rows - set_aside,
        set_aside=set_aside,
        quarantine=parts.quarantine if set_aside else None,
        resumed_rows=resumed,
    )
