"""Whether a row has what the features and the label ask for, whatever its source.

What only a look into a picture shows is in inspect.py.
"""

import dataclasses

from components.example_gen.labels import read_label
from components.example_gen.rows import Quarantined, Row, UnusableError
from components.example_gen.sources.columns import Columns, FeatureColumn
from preprocessing.cells import is_blank, number_in


def checked(row: Row, columns: Columns) -> Row | Quarantined:
    """Gives what `check_row` gives, or the row set aside for its reason."""
    try:
        return check_row(row, columns)
    except UnusableError as error:
        return Quarantined(row.source, str(error), row.split, row.label or None)


def check_row(row: Row, columns: Columns) -> Row:
    """Checks a row's label and values.

    A value without a visible sign is missing. A wrong value, such as "n/a" for a
    number, is not a missing one: it is refused under each policy.

    Args:
        row: As its source has it; a value for each feature.
        columns: What is asked of it.

    Returns:
        The row with its label as examples hold it, and missing values empty.

    Raises:
        UnusableError: If the label cannot be used, a feature is missing whose
            policy is to reject, a number is none, or every feature is missing.
    """
    label = read_label(row.label, columns.label) if columns.labelled else row.label.strip()
    values = {
        name: _checked(row.values[name].strip(), feature)
        for name, feature in columns.features.items()
    }
    if not any(values.values()):
        raise UnusableError("every feature is missing")
    return dataclasses.replace(row, label=label, values=values)


def _checked(value: str, feature: FeatureColumn) -> str:
    if is_blank(value):
        if feature.missing == "reject":
            raise UnusableError(f"column {feature.column!r} is empty")
        return ""
    if feature.kind == "numeric" and number_in(value) is None:
        raise UnusableError(f"column {feature.column!r} holds {value!r}, no finite number")
    return value
