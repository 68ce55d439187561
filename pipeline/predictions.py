"""The nodes that predict unlabelled rows with the blessed model, at the end of a run."""

from tfx.components.trainer.component import Trainer
from tfx.dsl.components.base import base_node
from tfx.proto import bulk_inferrer_pb2
from tfx.types import channel

from components.example_gen.config import PredictConfig
from components.example_gen.unlabelled_component import UnlabelledExampleGen
from components.example_gen.unlabelled_executor import STAGE
from pipeline.code_digest import digest_code
from pipeline.config import Config
from trainer.export import BULK_SIGNATURE, bulk_output

ROWS = STAGE
PREDICTIONS = "BulkInferrer"

# What each task's model says that an example can hold; see trainer/tasks.
_OUTPUTS = {
    "multiclass": ("label", "score", "probabilities"),
    "binary": ("label", "score", "probabilities"),
    "multilabel": ("label", "probabilities"),
    "regression": ("value",),
}


def build_predictions(
    predict: PredictConfig,
    config: Config,
    trainer: Trainer,
    blessing: channel.BaseChannel,
    listed: bool = True,
) -> list[base_node.BaseNode]:
    """Builds what reads the rows and the stock component that predicts them.

    Args:
        predict: What is to be predicted.
        config: The user's config, paths resolved.
        trainer: The node that has the model.
        blessing: Of the model; without it nothing is predicted.
        listed: Whether the rows are looked at now.

    Returns:
        The nodes; the second one's `output_examples` are the rows with a column
        `predicted_<output>` for each output of the task.
    """
    rows = UnlabelledExampleGen(
        predict, config.features, config.label, digest_code("ExampleGen"), listed
    ).with_id(ROWS)
    columns = [
        bulk_inferrer_pb2.PredictOutputCol(
            output_key=name if name == "probabilities" else bulk_output(name),
            output_column=f"predicted_{name}",
        )
        for name in _OUTPUTS[config.label.task]
    ]
    spec = bulk_inferrer_pb2.OutputColumnsSpec(
        predict_output=bulk_inferrer_pb2.PredictOutput(output_columns=columns)
    )
    # Here, as it takes half a second to import.
    from tfx.components.bulk_inferrer.component import BulkInferrer

    inferrer = BulkInferrer(
        examples=rows.outputs["examples"],
        model=trainer.outputs["model"],
        model_blessing=blessing,
        model_spec=bulk_inferrer_pb2.ModelSpec(model_signature_name=[BULK_SIGNATURE]),
        output_example_spec=bulk_inferrer_pb2.OutputExampleSpec(output_columns_spec=[spec]),
    ).with_id(PREDICTIONS)
    return [rows, inferrer]
