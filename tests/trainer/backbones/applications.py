"""Applications of tf_keras as the tests of keras: handles build and vendor them."""

import pytest
import tf_keras

from preprocessing.config import BackboneConfig
from preprocessing.errors import BackboneError
from trainer.backbones.vendor import vendor

SIDE = 32


def construct(name, size, weights=None, **arguments):
    constructor = getattr(tf_keras.applications, name)
    return constructor(
        input_shape=(size, size, 3), include_top=False, pooling="avg", weights=weights, **arguments
    )


def get(tmp_path, name, **config):
    config = BackboneConfig(handle=f"keras:{name}", **config)
    return vendor(config, tmp_path / "store", tmp_path)


def refusal(tmp_path, name, **config):
    with pytest.raises(BackboneError) as caught:
        get(tmp_path, name, **config)
    return str(caught.value)
