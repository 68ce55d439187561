"""What happens to a request, whichever protocol brought it."""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from tensorflow.core.protobuf import meta_graph_pb2

from serving.server.gate import Gate
from serving.server.limits import Limits
from serving.server.model import Model
from serving.server.pictures import check_pictures
from serving.server.refusal import Code, Refusal, invalid, too_late
from serving.server.versions import Version, Versions


class Predictor:
    """One model in all its versions, behind one gate.

    Attributes:
        name: What requests call the model.
        limits: What they may ask for.
        gate: Lets them in.
    """

    def __init__(self, name: str, versions: Versions[Model], limits: Limits) -> None:
        self.name = name
        self.limits = limits
        self.gate = Gate(limits)
        self._versions = versions

    @contextlib.contextmanager
    def turn(self, name: str, version: int | None, deadline: float) -> Iterator[tuple[int, Model]]:
        """Waits for a request's turn and gives it the model as it is then.

        Args:
            name: Of the model that is asked for.
            version: That is asked for; None takes the current one.
            deadline: On `time.monotonic`'s clock.

        Raises:
            Refusal: NOT_FOUND or DEADLINE_EXCEEDED.
        """
        with self.gate.turn(deadline), self.lease(name, version) as leased:
            if time.monotonic() > deadline:
                raise too_late()
            yield leased

    @contextlib.contextmanager
    def lease(self, name: str, version: int | None) -> Iterator[tuple[int, Model]]:
        """Gives the model without waiting; see `turn`."""
        if name != self.name:
            asked = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise Refusal(Code.NOT_FOUND, f"Servable not found for request: {asked}")
        with self._versions.lease(name, version) as leased:
            yield leased

    def run(
        self,
        model: Model,
        signature: str,
        inputs: Mapping[str, np.ndarray],
        outputs: Sequence[str] = (),
    ) -> dict[str, np.ndarray]:
        """Runs a signature on arrays of the right types and shapes.

        Args:
            model: What `turn` gave.
            signature: Its name; empty for the default one.
            inputs: An array for each of its inputs.
            outputs: Those that are wanted; none means all.

        Raises:
            Refusal: If a picture must not be decoded, or TensorFlow refuses.
        """
        check_pictures(inputs, model.pictures, self.limits.max_pixels)
        return model.run(signature, inputs, outputs)

    def states(self, name: str, version: int | None) -> list[Version[Model]]:
        """Says what became of the versions, newest first.

        Raises:
            Refusal: NOT_FOUND if there is no such model or version.
        """
        found = [
            one
            for one in (self._versions.states() if name == self.name else [])
            if version in (None, one.number)
        ]
        if not found:
            what = "any versions" if version is None else f"version {version}"
            raise Refusal(Code.NOT_FOUND, f"Could not find {what} of model {name}")
        return found


def check_names(wanted: meta_graph_pb2.SignatureDef, sent: Sequence[str]) -> None:
    """Refuses a request whose inputs are not those of the signature."""
    extra, missing = sorted(set(sent) - set(wanted.inputs)), sorted(set(wanted.inputs) - set(sent))
    if extra or missing:
        raise invalid(
            f"input size does not match signature: {len(sent)}!={len(wanted.inputs)}. "
            f"Sent extra: {{{','.join(extra)}}}. Missing but required: {{{','.join(missing)}}}."
        )


def check_outputs(wanted: meta_graph_pb2.SignatureDef, asked: Sequence[str]) -> None:
    """Refuses a filter that names an output which the signature does not give."""
    for name in asked:
        if name not in wanted.outputs:
            valid = ",".join(sorted(wanted.outputs))
            raise invalid(
                f"output tensor alias not found in signature: {name} "
                f"Outputs expected to be in the set {{{valid}}}."
            )
