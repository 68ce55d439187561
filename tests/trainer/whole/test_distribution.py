"""Several replicas, in one process or in several, come to what one device does.

Weights and eval figures to 1e-4: sums are rounded in another order, and three
epochs of steps carry it on. The loss that Keras reports of training only to
0.01: it counts the parts of an uneven last batch by their weighted sums.
"""

import json
import socket

import numpy as np
import pytest

from tests.trainer.whole.conftest import Result

TOLERANCE = 1e-4
REPORTED_LOSS = 0.01


def check_same(result, undisturbed_head):
    assert result.code == 0, result.log
    assert result.values.keys() == undisturbed_head.values.keys()
    for name, value in result.values.items():
        tolerance = REPORTED_LOSS if name == "loss" else TOLERANCE
        expected = undisturbed_head.values[name]
        np.testing.assert_allclose(value, expected, atol=tolerance, err_msg=name)


@pytest.mark.slow
def test_two_devices_of_one_machine(train_in_process, undisturbed_head, tmp_path):
    done = train_in_process(tmp_path, devices=2, strategy="mirrored")
    check_same(done, undisturbed_head)


@pytest.mark.slow
def test_two_workers_of_which_only_the_chief_writes(start, undisturbed_head, tmp_path):
    workers = [f"localhost:{port}" for port in free_ports(2)]
    folders = [tmp_path / "chief", tmp_path / "other"]
    processes = []
    for index, folder in enumerate(folders):
        task = {"type": "worker", "index": index}
        config = json.dumps({"cluster": {"worker": workers}, "task": task})
        processes.append(start(folder, {"TF_CONFIG": config}, strategy="multi_worker"))
    results = [Result(*both) for both in zip(processes, folders, strict=True)]
    for result in results:
        check_same(result, undisturbed_head)
    written = [list((folder / "checkpoints").glob("*/ckpt-*")) for folder in folders]
    assert written[0]
    assert not written[1]


@pytest.mark.slow
def test_a_hub_backbone_that_replicas_cannot_train_is_refused(train_in_process, world, tmp_path):
    done = train_in_process(tmp_path, devices=2, mode="fine_tune", strategy="mirrored")
    assert done.code == 1
    handle = world.model.backbones["image"].handle
    assert done.log.rstrip().endswith(
        "UsageError: features.image.backbone cannot be fine-tuned by several replicas: inside them "
        "the variables of a hub: backbone were seen with wrong shapes. Take a keras: or hf: "
        f"backbone, train.mode: frozen, or train.strategy: one_device.\n  Received: {handle!r}"
    )


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("localhost", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
