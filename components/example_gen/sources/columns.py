"""Which columns the pipeline asks a source for."""

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Columns:
    """Names as the config gives them.

    Attributes:
        features: Kind ("image") of each feature by its name.
        label: The column to predict.
        carry: Further columns that examples keep, such as those of slices.
        group_by: The column that keeps rows together, if any.
    """

    features: Mapping[str, str]
    label: str = "label"
    carry: tuple[str, ...] = ()
    group_by: str | None = None
