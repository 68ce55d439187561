"""Which Keras a process means, and what is said when it is the wrong one."""

import pytest

from preprocessing.errors import UsageError
from preprocessing.keras_mode import check_legacy_keras


@pytest.mark.parametrize("value", ["1", "true", "True"])
def test_what_tensorflow_takes_for_yes_passes(monkeypatch, value):
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", value)
    check_legacy_keras()


def test_an_unset_variable_is_named_with_the_command_that_sets_it(monkeypatch):
    monkeypatch.delenv("TF_USE_LEGACY_KERAS", raising=False)
    with pytest.raises(UsageError) as caught:
        check_legacy_keras()
    assert str(caught.value) == (
        "TensorFlow would use Keras 3, which hub layers and Transform's layer cannot work with.\n"
        "  Received: not set\n"
        "  Set it before Python starts: export TF_USE_LEGACY_KERAS=1\n"
        "  See: graft doctor"
    )


@pytest.mark.parametrize("value", ["0", "", "yes"])
def test_a_value_that_tensorflow_ignores_is_shown(monkeypatch, value):
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", value)
    with pytest.raises(UsageError, match=f"Received: TF_USE_LEGACY_KERAS={value}\n"):
        check_legacy_keras()
