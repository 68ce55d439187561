"""Which columns the pipeline asks a source for; crosses TFX as JSON.

Only what ingest looks at is kept of a feature and of the label, so that another
backbone or another threshold reads nothing anew.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from preprocessing.config import Feature, LabelConfig, Missing, Record


class FeatureColumn(Record):
    """Where a feature's values are.

    Attributes:
        kind: What they are.
        column: Of the table or of the user's tf.Examples; our examples hold
            them under the feature's name.
        missing: What becomes of a row without one.
    """

    kind: Literal["image", "text", "numeric", "categorical"]
    column: str
    missing: Missing = "reject"


class Columns(Record):
    """Names as the config gives them.

    Attributes:
        features: By name.
        label: What to predict; its name is its column's.
        carry: Further columns that examples keep, such as those of slices.
        group_by: The column that keeps rows together, if any.
        labelled: Whether a row must have a label; else one is taken along as it
            is where there is one.
    """

    features: dict[str, FeatureColumn]
    label: LabelConfig = LabelConfig()
    carry: tuple[str, ...] = ()
    group_by: str | None = None
    labelled: bool = True

    @classmethod
    def of(
        cls,
        features: Mapping[str, Feature],
        label: LabelConfig | None = None,
        carry: Sequence[str] = (),
        group_by: str | None = None,
    ) -> "Columns":
        """Takes from the config what ingest looks at.

        Args:
            features: As the user wrote them, by name.
            label: As the user wrote it.
            carry: See the class.
            group_by: See the class.

        Returns:
            The columns.
        """
        given = (label or LabelConfig()).model_dump(exclude={"threshold"})
        columns = {
            name: FeatureColumn(kind=one.kind, column=one.column or name, missing=one.missing)
            for name, one in features.items()
        }
        return cls(
            features=columns, label=LabelConfig(**given), carry=tuple(carry), group_by=group_by
        )

    def named(self, kind: str) -> list[str]:
        """Names the features of one kind."""
        return [name for name, feature in self.features.items() if feature.kind == kind]
