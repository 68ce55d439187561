"""Fine-tuning that is really killed and run again ends as one that was left in peace."""

import signal

import numpy as np
import pytest


@pytest.mark.slow
def test_fine_tuning_that_is_killed_goes_on_to_the_same_weights(
    train_in_process, undisturbed, tmp_path
):
    # Three epochs of the head, then the third of fine-tuning.
    killed = train_in_process(tmp_path, die_at=6, mode="fine_tune")
    assert (killed.code, killed.values) == (-signal.SIGKILL, None), killed.log
    again = train_in_process(tmp_path, mode="fine_tune")
    assert again.code == 0, again.log
    assert "Training of the head had ended after epoch 3" in again.log
    assert "Training of the backbones goes on after epoch 2" in again.log
    assert again.values.keys() == undisturbed.values.keys()
    for name, value in again.values.items():
        np.testing.assert_allclose(value, undisturbed.values[name], atol=1e-5, err_msg=name)
