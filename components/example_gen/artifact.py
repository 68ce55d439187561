"""What each executor here says of its Examples artifact, whichever way the rows came."""

import os
from collections.abc import Mapping, Sequence

from tfx import types
from tfx.components.util import examples_utils
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils

from components.example_gen import outcome
from components.example_gen.rows import Quarantined


def finish_examples(
    artifact: types.Artifact,
    splits: Sequence[str],
    quarantined: Sequence[Quarantined],
    summary: Mapping,
) -> None:
    """Says in an Examples artifact, whose files are there, what came of the data.

    Args:
        artifact: What the component gives.
        splits: Those that it has.
        quarantined: What was set aside.
        summary: Becomes ingest.json.
    """
    outcome.write_quarantine(os.path.join(artifact.uri, outcome.QUARANTINE), quarantined)
    outcome.write_summary(os.path.join(artifact.uri, outcome.INGEST), summary)
    artifact.split_names = artifact_utils.encode_split_names(list(splits))
    tf_example = example_gen_pb2.PayloadFormat.FORMAT_TF_EXAMPLE  # type: ignore[attr-defined]
    examples_utils.set_payload_format(artifact, tf_example)
