"""What a config may ask of thresholds and slices, and what is said otherwise."""

import textwrap

import pytest

from tests.pipeline.flowers import GOOD, load, message


def test_slices_may_group_by_the_columns_of_a_table(folder):
    text = GOOD.replace("kind: image_folder, path: pictures", "kind: csv, path: table.csv")
    config = load(folder, text, "evaluate.slices=[[brand], [brand, image_format], [shop, label]]")
    assert config.carried_columns == ("brand", "shop")
    assert load(folder, GOOD, "evaluate.slices=[[label], [source]]").carried_columns == ()


MISTAKES = {
    "a metric that is not known": (
        GOOD + "evaluate: {thresholds: {acuracy: {min: 0.5}}}\n",
        """\
        flowers.yaml, line 6: evaluate.thresholds.acuracy is not a valid key
          Received: 'acuracy'
          Valid: accuracy, auc, precision, recall, f1, loss, ece, mae, rmse, mse, r2
          Did you mean 'accuracy'?
          See: graft schema""",
    ),
    "a bare threshold": (
        GOOD + "evaluate: {thresholds: {accuracy: 0.8}}\n",
        """\
        flowers.yaml, line 6: evaluate.thresholds.accuracy is not valid
          Received: 0.8
          Valid: a mapping {min, max, no_worse_than_baseline_by, when_unsure}
          See: graft schema""",
    ),
    "a threshold without a bound": (
        GOOD + "evaluate: {thresholds: {accuracy: {}}}\n",
        """\
        flowers.yaml, line 6: evaluate.thresholds.accuracy: needs at least one of min, max and no_worse_than_baseline_by
          Received: {}""",  # noqa: E501
    ),
    "a threshold that nothing passes": (
        GOOD + "evaluate: {thresholds: {loss: {min: 2, max: 1}}}\n",
        """\
        flowers.yaml, line 6: evaluate.thresholds.loss: min is above max, so no model could pass
          Received: {'max': 1, 'min': 2}""",
    ),
    "an accuracy in percent": (
        GOOD + "evaluate: {thresholds: {accuracy: {min: 85}}}\n",
        """\
        flowers.yaml, line 6: evaluate: thresholds.accuracy.min is above 1, the most that accuracy can be
          Received: {'thresholds': {'accuracy': {'min': 85}}}""",  # noqa: E501
    ),
    "slices that nothing makes": (
        GOOD + "evaluate: {slice_thresholds: {accuracy: {min: 0.5}}}\n",
        """\
        flowers.yaml, line 6: evaluate: slice_thresholds need slices: say which columns to group by
          Received: {'slice_thresholds': {'accuracy': {'min': 0.5}}}""",
    ),
    "a slice's accuracy below nothing": (
        GOOD + "evaluate: {slices: [[source]], slice_thresholds: {accuracy: {max: -1}}}\n",
        """\
        flowers.yaml, line 6: evaluate: slice_thresholds.accuracy.max is below 0, the least that accuracy can be
          Received: {'slice_thresholds': {'accuracy': {'max': -1}}, 'slices': [['source']]}""",  # noqa: E501
    ),
    "an interval that is not computed": (
        GOOD + "evaluate: {confidence: null, thresholds: {loss: {max: 1, when_unsure: pass}}}\n",
        """\
        flowers.yaml, line 6: evaluate: thresholds.loss.when_unsure asks for an interval, and confidence is null
          Received: {'confidence': None, 'thresholds': {'loss': {'max': 1, 'when_unsure': 'pass'}}}""",  # noqa: E501
    ),
    "a way to be unsure that is not known": (
        GOOD + "evaluate: {thresholds: {loss: {max: 1, when_unsure: past}}}\n",
        """\
        flowers.yaml, line 6: evaluate.thresholds.loss.when_unsure is not valid
          Received: 'past'
          Valid: value, pass, fail
          Did you mean 'pass'?
          See: graft schema""",
    ),
    "a cross of a column with itself": (
        GOOD + "evaluate: {slices: [[source, source]]}\n",
        """\
        flowers.yaml, line 6: evaluate: slices: a column stands twice in ['source', 'source']
          Received: {'slices': [['source', 'source']]}""",
    ),
    "a confidence in percent": (
        GOOD + "evaluate: {confidence: 95}\n",
        """\
        flowers.yaml, line 6: evaluate.confidence is not valid
          Received: 95
          Valid: a number above 0.5 and below 1, null
          See: graft schema""",
    ),
    "a slice of an unknown column": (
        GOOD + "evaluate: {slices: [[sorce]]}\n",
        """\
        flowers.yaml, line 6: evaluate.slices.0.0: examples cannot be grouped by this column
          Received: 'sorce'
          Valid: label, source, image_width, image_height, image_bytes, image_format
          Did you mean 'source'?""",
    ),
    "a slice of a feature": (
        GOOD.replace("kind: image_folder, path: pictures", "kind: csv, path: table.csv")
        + "evaluate: {slices: [[image]]}\n",
        """\
        flowers.yaml, line 6: evaluate.slices.0.0: examples cannot be grouped by this column
          Received: 'image'
          Valid: label, source, image_width, image_height, image_bytes, image_format
          Did you mean 'image_width'?""",
    ),
}


@pytest.mark.parametrize(("text", "expected"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_in_what_is_asked_of_a_model_is_explained(folder, text, expected):
    assert message(folder, text) == textwrap.dedent(expected)
