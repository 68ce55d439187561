"""The published MobileNetV2 weights, where this machine has them."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from preprocessing.config import BackboneConfig
from trainer.backbones.load import load
from trainer.backbones.vendor import vendor

SHARED = Path(__file__).parents[4] / "shared"
WEIGHTS = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (SHARED / "backbones").exists(), reason="no ../shared/backbones beside this checkout"
    ),
]


@pytest.mark.parametrize(
    ("hub", "file", "alpha"),
    [
        ("mobilenet_v2_035_224_feature_vector", f"{WEIGHTS}_0.35_224_no_top.h5", 0.35),
        ("mobilenet_v2_100_224_feature_vector", f"{WEIGHTS}_1.0_224_no_top.from_int8.h5", 1.0),
    ],
)
def test_the_hub_module_and_the_keras_weights_are_one_function(tmp_path, hub, file, alpha):
    from_hub = vendor(BackboneConfig(handle=f"hub:backbones/hub/{hub}"), tmp_path / "store", SHARED)
    from_keras = vendor(
        BackboneConfig(
            handle="keras:MobileNetV2",
            weights=f"backbones/keras/{file}",
            arguments={"alpha": alpha},
        ),
        tmp_path / "store",
        SHARED,
    )
    assert (from_hub.feature_width, from_keras.feature_width) == (1280, 1280)
    picture = sorted((SHARED / "data" / "groceries" / "test").rglob("*.jpg"))[0]
    image = tf.io.decode_jpeg(picture.read_bytes(), channels=3)
    image = tf.image.resize(image, [224, 224])[None]
    features = [
        load(backbone)(image / 255.0 * backbone.input.input_range[1]).numpy()
        for backbone in (from_hub, from_keras)
    ]
    assert features[0].max() > 1.0
    np.testing.assert_allclose(features[0], features[1], atol=1e-4)
