"""What a label is in each task, from what the source has to what examples hold.

A new task is a branch in `read_label` and in `classes_of`, and what
label_checks.py asks of all labels together.
"""

from collections.abc import Sequence

from components.example_gen.rows import UnusableError
from preprocessing.cells import is_blank, number_in
from preprocessing.config import LabelConfig


def read_label(text: str, config: LabelConfig) -> str:
    """Brings one example's label to the form that examples hold.

    Args:
        text: As the source has it.
        config: Task and, for several labels, what stands between them.

    Returns:
        Without white space around it; several labels each once, in their order,
        with the separator between them.

    Raises:
        UnusableError: If there is none, if it has a line break (vocabularies
            are files of lines), or if the task wants a number and it is none.
    """
    text = text.strip()
    if config.task == "multilabel":
        text = config.separator.join(classes_of(text, config))
    if is_blank(text):
        raise UnusableError(f"column {config.name!r} is empty")
    if config.task == "regression" and number_in(text) is None:
        raise UnusableError(f"column {config.name!r} holds {text!r}, no finite number")
    if "\n" in text or "\r" in text:
        raise UnusableError(f"column {config.name!r} holds a line break: {text!r}")
    return text


def join_labels(labels: Sequence[str], config: LabelConfig) -> str:
    """Makes one text of the values of a list.

    Raises:
        UnusableError: If a label holds the separator, and so would become two.
    """
    for label in labels:
        if len(labels) > 1 and config.separator in label:
            raise UnusableError(
                f"column {config.name!r}: the label {label!r} holds label.separator "
                f"{config.separator!r}; choose another"
            )
    return config.separator.join(labels)


def classes_of(label: str, config: LabelConfig) -> tuple[str, ...]:
    """Names the classes that a label stands for, each once; none for numbers."""
    if config.task == "regression":
        return ()
    if config.task != "multilabel":
        return (label,)
    parts = (part.strip() for part in label.split(config.separator))
    return tuple(dict.fromkeys(part for part in parts if not is_blank(part)))
