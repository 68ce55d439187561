"""SchemaText: takes ImportSchemaGen's place where tasks cannot read this machine's files."""

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.schema.executor import Executor


class SchemaTextSpec(ComponentSpec):
    """What SchemaText takes and gives."""

    PARAMETERS = {"text": ExecutionParameter(type=str)}
    INPUTS: dict = {}
    OUTPUTS = {"schema": ChannelParameter(type=standard_artifacts.Schema)}


class SchemaText(base_component.BaseComponent):
    """Writes the schema that it is given."""

    SPEC_CLASS = SchemaTextSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(self, text: str) -> None:
        """Declares one.

        Args:
            text: A tensorflow_metadata Schema in protobuf's text format.
        """
        super().__init__(
            SchemaTextSpec(text=text, schema=channel.Channel(type=standard_artifacts.Schema))
        )
