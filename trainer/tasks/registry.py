"""Which module knows which task; a new one is one line here."""

from collections.abc import Mapping

from trainer.tasks import binary, multiclass, multilabel, regression
from trainer.tasks.task import Task

TASKS: Mapping[str, Task] = {
    "multiclass": multiclass.TASK,
    "binary": binary.TASK,
    "multilabel": multilabel.TASK,
    "regression": regression.TASK,
}
