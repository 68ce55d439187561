"""Something small to compile and run: the demo with a few digits of each class."""

import tensorflow as tf
import yaml

from pipeline.demo import write_demo

EACH = 30


def write_small_demo(folder, pipeline_root, epochs):
    """Writes config and pictures.

    Args:
        folder: Where to; tasks on this machine may read and write there.
        pipeline_root: The platform's.
        epochs: Of the head.

    Returns:
        The config's path.
    """
    path = write_demo(folder)
    for digit in (folder / "pictures").iterdir():
        for picture in sorted(digit.iterdir())[EACH:]:
            picture.unlink()
    config = yaml.safe_load(path.read_text())
    config["data"]["splits"] = {"train": 8, "eval": 2, "test": 0}
    config["train"]["epochs"] = epochs
    config["evaluate"]["thresholds"]["accuracy"] = {"min": 0.5, "no_worse_than_baseline_by": 0.02}
    config["deploy"] = {
        "image": "registry.example.com/graft:1",
        "image_paths": [str(folder)],
        "backbones": str(folder / ".graft" / "backbones"),
        "pipeline_root": pipeline_root,
    }
    path.write_text(yaml.safe_dump(config))
    return path


def newest(pushed):
    """The newest version's folder."""
    return max(pushed.iterdir(), key=lambda one: int(one.name) if one.name.isdigit() else 0)


def answers(pushed, folder):
    """What the newest version says of some pictures."""
    model = tf.saved_model.load(str(newest(pushed)))
    pictures = sorted((folder / "pictures").glob("*/*"))[::10]
    images = tf.constant([one.read_bytes() for one in pictures])
    return model.signatures["serving_default"](image=images)["probabilities"].numpy()
