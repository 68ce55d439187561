"""Text encoders with their preprocessor, such as the BERT family of TF Hub.

The preprocessor has the parts `tokenize`, strings to ragged token ids, and
`bert_pack_inputs`, those to three tensors of a fixed length; the encoder turns
these into `pooled_output` and `sequence_output`:
https://www.tensorflow.org/hub/common_signatures/text#transformer-encoders
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_text  # noqa: F401  (preprocessors need its ops)
from tensorflow.core.protobuf import meta_graph_pb2

from preprocessing.config import BackboneConfig
from preprocessing.errors import BackboneError, explain
from preprocessing.inputs import TextInput
from trainer.backbones.hub_layers import trainable_layers, variables_of
from trainer.backbones.module import BackboneModule
from trainer.backbones.pooling import pool
from trainer.backbones.record import Backbone, Interface, Pooling
from trainer.backbones.saved_call import Call, Spec, choose_call, has_parts, offered, read_calls
from trainer.backbones.saved_model import read_graph
from trainer.backbones.saved_prune import load_call

# Folders of the vendored content.
ENCODER, PREPROCESSOR = "encoder", "preprocessor"

PARTS = ("tokenize", "bert_pack_inputs")
TOKENS = ("input_word_ids", "input_mask", "input_type_ids")
OUTPUTS: dict[Pooling, str] = {
    "pooler": "pooled_output",
    "mean": "sequence_output",
    "cls": "sequence_output",
    "max": "sequence_output",
}
DEFAULT_LENGTH = 128

Prepared = dict[str, tf.Tensor]


def describe(config: BackboneConfig, folder: Path) -> Interface:
    """Reads sizes from both descriptions.

    An encoder that leaves its width or its longest text open is run once.

    Args:
        config: The backbone as the user wrote it.
        folder: The vendored content.

    Returns:
        Its interface.

    Raises:
        BackboneError: If either is no such module, they lack what the config's
            pooling needs, or the texts are longer than the encoder takes.
    """
    tokenizer = read_graph(folder / PREPROCESSOR, str(config.preprocessor))
    if not has_parts(tokenizer, PARTS):
        what = f"A preprocessor has the parts {' and '.join(PARTS)}. This one offers: "
        raise BackboneError(explain(f"{what}{offered(tokenizer)}.", config.preprocessor))
    graph = read_graph(folder / ENCODER, config.handle)
    call = _find_call(graph, config.handle)
    pooling = config.pooling or "pooler"
    output = _output(call, pooling)
    limit = _longest(graph)
    length = _sequence_length(call.inputs[TOKENS[0]], limit, config)
    width = output.shape[-1] if output.shape else None
    if width is None or limit is None:
        width = _run_once(config, folder, length, pooling)
    return Interface(input=TextInput(sequence_length=length), feature_width=width, pooling=pooling)


def load(backbone: Backbone) -> BackboneModule:
    """Loads a vendored pair.

    Args:
        backbone: The record that vendoring gave.

    Returns:
        The backbone in inference mode; its `prepare` is the preprocessor.
    """
    assert isinstance(backbone.input, TextInput)
    assert backbone.input.sequence_length
    assert backbone.pooling
    folder, length = Path(backbone.path), backbone.input.sequence_length
    encoder, call, preprocessor = _load(folder, backbone.handle)
    prepare = _prepare(preprocessor, length)
    special = int(tf.reduce_sum(prepare(tf.constant([""]))["input_mask"]))

    def truncated(texts: tf.Tensor) -> tf.Tensor:
        tokens = preprocessor.tokenize(texts)
        while tokens.ragged_rank > 1:
            tokens = tokens.merge_dims(1, 2)
        return tokens.row_lengths() > length - special

    return BackboneModule(
        _encode(encoder, call, backbone.pooling),
        [encoder, preprocessor],
        variables_of(encoder),
        backbone,
        prepare=prepare,
        truncated=truncated,
        layers=trainable_layers(encoder),
    )


def _load(folder: Path, origin: str) -> tuple[Any, Call, Any]:
    """Loads the encoder for its call, and the preprocessor."""
    import tensorflow_hub as hub

    graph = read_graph(folder / ENCODER, origin)
    call = _find_call(graph, origin)
    encoder = load_call(folder / ENCODER, graph, call)
    return encoder, call, hub.load(str(folder / PREPROCESSOR))


def _prepare(preprocessor: Any, length: int) -> Callable[[tf.Tensor], Prepared]:
    """From `[batch]` strings to tokens, each `[batch, length]`."""

    def prepare(texts: tf.Tensor) -> Prepared:
        packed = preprocessor.bert_pack_inputs([preprocessor.tokenize(texts)], seq_length=length)
        return {name: tf.ensure_shape(packed[name], [None, length]) for name in TOKENS}

    return prepare


def _encode(
    encoder: Any, call: Call, pooling: Pooling
) -> Callable[[Mapping[str, tf.Tensor]], tf.Tensor]:
    """From tokens to vectors, `[batch, width]`."""
    apply = call.of(encoder)

    def encode(tokens: Mapping[str, tf.Tensor]) -> tf.Tensor:
        cast = {name: tf.cast(tokens[name], call.inputs[name].dtype) for name in TOKENS}
        output = apply(cast)[OUTPUTS[pooling]]
        return pool(output, tokens["input_mask"], pooling) if pooling != "pooler" else output

    return encode


def _find_call(graph: meta_graph_pb2.MetaGraphDef, origin: str) -> Call:
    """Finds the call that takes the three tensors."""
    calls = read_calls(graph)
    call = choose_call(calls, lambda one: set(one.inputs) == set(TOKENS))
    if call is None:
        given = [name or str(spec) for name, spec in calls[0].inputs.items()] if calls else []
        found = f"This one takes {', '.join(given)}." if given else f"It offers: {offered(graph)}."
        what = f"A text encoder takes {', '.join(TOKENS)} from its preprocessor. {found}"
        raise BackboneError(explain(what, origin))
    return call


def _output(call: Call, pooling: Pooling) -> Spec:
    """Finds the output that a pooling starts from."""
    if OUTPUTS[pooling] not in call.outputs:
        what = (
            f"This pooling needs the encoder's {OUTPUTS[pooling]}; it gives: "
            f"{', '.join(call.outputs)}."
        )
        possible = [one for one, output in OUTPUTS.items() if output in call.outputs]
        raise BackboneError(explain(what, pooling, possible))
    return call.outputs[OUTPUTS[pooling]]


def _longest(graph: meta_graph_pb2.MetaGraphDef) -> int | None:
    """Reads the rows of the table of positions; None if none is known by its name."""
    rows = [
        node.variable.shape.dim[0].size
        for node in graph.object_graph_def.nodes
        if node.WhichOneof("kind") == "variable"
        and "position" in node.variable.name
        and "relative" not in node.variable.name
        and len(node.variable.shape.dim) == 2
    ]
    return min(rows, default=None)


def _sequence_length(tokens: Spec, limit: int | None, config: BackboneConfig) -> int:
    """Settles the length between the encoder and the config."""
    if tokens.shape is None or len(tokens.shape) != 2 or tokens.shape[0] is not None:
        what = f"The encoder takes {tokens}, not [batch, tokens] of {TOKENS[0]}."
        raise BackboneError(explain(what, config.handle))
    wanted, fixed = config.sequence_length, tokens.shape[1]
    if fixed is not None and wanted not in (None, fixed):
        what = f"The encoder takes {fixed} tokens only: leave `sequence_length` out."
        raise BackboneError(explain(what, wanted))
    if limit is not None and (wanted or 0) > limit:
        what = f"`sequence_length` is beyond the {limit} tokens that the encoder has positions for."
        raise BackboneError(explain(what, wanted))
    return wanted or fixed or min(DEFAULT_LENGTH, limit or DEFAULT_LENGTH)


def _run_once(config: BackboneConfig, folder: Path, length: int, pooling: Pooling) -> int:
    """Encodes one text of the greatest length; gives the width of its vector."""
    encoder, call, preprocessor = _load(folder, config.handle)
    try:
        tokens = _prepare(preprocessor, length)(tf.constant([""]))
        shape = _encode(encoder, call, pooling)(tokens).shape
    except (tf.errors.OpError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        what = f"The encoder cannot be run on {length} tokens (`sequence_length`): {reason}"
        raise BackboneError(explain(what, config.handle)) from error
    return int(shape[1])
