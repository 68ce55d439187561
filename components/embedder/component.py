"""The Embedder: every example once through the frozen backbones."""

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import channel_utils, component_spec, standard_artifacts

from components.embedder.executor import Executor


class EmbedderSpec(component_spec.ComponentSpec):
    """Inputs, outputs and parameters of the Embedder."""

    PARAMETERS = {
        "embed_fn": component_spec.ExecutionParameter(type=str),
        "config": component_spec.ExecutionParameter(type=str),
        "views": component_spec.ExecutionParameter(type=int),
        "code_digest": component_spec.ExecutionParameter(type=str),
        "vectors_digest": component_spec.ExecutionParameter(type=str),
        "store": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "transform_graph": component_spec.ChannelParameter(type=standard_artifacts.TransformGraph),
    }
    OUTPUTS = {
        "embeddings": component_spec.ChannelParameter(type=standard_artifacts.Examples),
    }


class Embedder(base_beam_component.BaseBeamComponent):
    """Applies the transform graph and the backbones; writes feature vectors.

    The vectors are tf.Examples: for each feature a float list of the
    backbone's feature width, for the label its index as an integer.
    """

    SPEC_CLASS = EmbedderSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        embed_fn: str,
        config: str,
        code_digest: str,
        vectors_digest: str = "",
        store: str = "",
        views: int = 0,
    ) -> None:
        """Declares one Embedder.

        Args:
            examples: Raw examples, one or more splits.
            transform_graph: Transform's graph.
            embed_fn: Dotted name of the function that builds the embedding
                function (workers import it), such as `trainer.embed.make_embed_fn`.
            config: What that function must know, as JSON; holds the backbones'
                digests, and so makes them part of the cache key.
            code_digest: Digest of the code behind `embed_fn`, which TFX's
                cache key does not see.
            vectors_digest: Digest of that part of it that makes vectors.
            store: File that says where vectors are kept (config.py); TFX's
                cache key sees its path and not what it says. Empty keeps none.
            views: How many augmented vectors each training example gets
                beside its own.
        """
        super().__init__(
            EmbedderSpec(
                examples=examples,
                transform_graph=transform_graph,
                embeddings=channel_utils.as_channel([standard_artifacts.Examples()]),
                embed_fn=embed_fn,
                config=config,
                code_digest=code_digest,
                vectors_digest=vectors_digest,
                store=store,
                views=views,
            )
        )
