"""Which model is the baseline after a rollback: the one that was rolled back to.

It needs to know what is pushed as well as what is blessed, and components do
not import each other; what holds without a rollback is the gate's matter.
"""

import contextlib
import posixpath
from collections.abc import Sequence

from absl import logging
from ml_metadata.metadata_store import metadata_store
from tfx import types

from components.gate.last_blessed import LastBlessedModel
from components.pusher.files import digest_model
from components.pusher.manifest import Manifest, read_manifest
from components.pusher.target import open_target
from preprocessing.errors import DataError


class ServingModel(LastBlessedModel):
    """Resolves the model that serves because of a rollback, or else the last blessed one.

    A model is rolled back from because it is worse than its figures: the next
    one should neither be held against them nor begin with its weights.
    """

    def __init__(self, push_path: str | None = None, as_in_runs: Sequence[str] = ()) -> None:
        """Remembers where to look.

        Args:
            push_path: What the server watches; None where nothing is pushed.
            as_in_runs: See LastBlessedModel.
        """
        super().__init__(as_in_runs)
        self._push_path = push_path

    def resolve_now(
        self, store: metadata_store.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Leaves one model and its blessing, or nothing.

        Args:
            store: Knows when each blessing was given, from the cache or not.
            input_dict: All models, and all blessings.
        """
        serving = rolled_back_to(self._push_path) if self._push_path else None
        if serving:
            digests = {one.id: _digest(one) for one in input_dict["model"]}
            # Nobody here may know the model that serves; one that was rolled back
            # from is not held against the next in any case.
            for wanted in (
                lambda digest: digest == serving.model_digest,
                lambda digest: digest and digest not in serving.withdrawn,
            ):
                models = [one for one in input_dict["model"] if wanted(digests[one.id])]
                found = super().resolve_now(store, {**input_dict, "model": models})
                if found["model"]:
                    return found
            return found
        return super().resolve_now(store, input_dict)


def rolled_back_to(path: str) -> Manifest | None:
    """Reads what is known of the model that serves, if that is because of a rollback.

    Args:
        path: What the server watches.
    """
    try:
        target = open_target(path)
        versions = target.versions()
        manifest = read_manifest(target.address(versions[-1])) if versions else None
    except (DataError, OSError) as error:
        logging.warning(
            "The baseline is the last blessed model, as it is unknown what serves: %s", error
        )
        return None
    return manifest if manifest and manifest.rolled_back else None


def _digest(model: types.Artifact) -> str | None:
    """None of a model whose files are gone."""
    with contextlib.suppress(OSError):
        return digest_model(posixpath.join(model.uri, "Format-Serving"))
    return None
