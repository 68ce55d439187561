"""Run as a program: trains a model as it is told, or is killed on the way."""

import json
import logging
import os
import signal
import sys

import numpy as np
import tensorflow as tf
from absl import logging as absl_logging

order = json.loads(sys.argv[1])
absl_logging.use_absl_handler()
absl_logging.set_verbosity("info")
absl_logging.set_stderrthreshold("info")
if order["devices"] > 1:
    cpu = tf.config.list_physical_devices("CPU")[0]
    devices = [tf.config.LogicalDeviceConfiguration()] * order["devices"]
    tf.config.set_logical_device_configuration(cpu, devices)

from trainer import checkpoints  # noqa: E402
from trainer.model_config import RunConfig  # noqa: E402
from trainer.train import find_files, train  # noqa: E402

checkpoints.LARGEST_SHARE = 1e9


class DieAt(logging.Handler):
    """Kills this process, for real, at one of its reports of progress."""

    left = order["die_at"]

    def emit(self, record):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


logging.getLogger("graft.progress").addHandler(DieAt())
logging.getLogger("graft.progress").setLevel("INFO")

folder = order["folder"]
files = find_files(order["transform_graph"], *order["files"])
config = RunConfig.model_validate(order["config"])
model = train(config, files, f"{folder}/logs", f"{folder}/checkpoints")
tuned = [variable for layer in model.extractor.backbones["image"].layers for variable in layer]
values = [*model.head.variables, *tuned]
np.savez(f"{folder}/result.npz", *[one.numpy() for one in values], **model.history)
