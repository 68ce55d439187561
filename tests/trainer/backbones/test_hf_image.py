"""hf: vision models see what transformers' own processors make of a picture."""

import io
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
import transformers
from PIL import Image
from transformers.utils import logging

from preprocessing.config import BackboneConfig
from preprocessing.errors import BackboneError
from preprocessing.image import prepare_images
from trainer.backbones.hf_processor import finish_pictures, plan_steps, read_processor
from trainer.backbones.load import load
from trainer.backbones.vendor import vendor

HALF = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
VIT = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "image_size": 32,
    "patch_size": 8,
}
STAGES = {"hidden_sizes": [8, 8, 12, 16], "depths": [1, 2, 1, 1]}

# Model, its options, processor, its options, number of layers, whether another size is possible.
MODELS = {
    "ViT": (
        "ViT",
        VIT,
        "ViTImageProcessor",
        {"size": {"height": 32, "width": 32}, "resample": 2, **HALF},
        3,
        False,
    ),
    "DeiT, cut after a resize": (
        "DeiT",
        VIT,
        "DeiTImageProcessor",
        {"size": {"height": 36, "width": 36}, "resample": 3, **IMAGENET}
        | {"crop_size": {"height": 32, "width": 32}},
        3,
        False,
    ),
    "Swin": (
        "Swin",
        {"image_size": 32, "patch_size": 4, "embed_dim": 8, "depths": [1, 2]}
        | {"num_heads": [1, 2], "window_size": 4},
        "ViTImageProcessor",
        {"size": {"height": 32, "width": 32}, "resample": 3, **IMAGENET},
        5,
        False,
    ),
    "ConvNext, a share of the centre": (
        "ConvNext",
        STAGES,
        "ConvNextImageProcessor",
        {"size": {"shortest_edge": 48}, "crop_pct": 0.875, "resample": 3, **IMAGENET},
        9,
        True,
    ),
    "ResNet": (
        "ResNet",
        {**STAGES, "embedding_size": 8, "layer_type": "basic"},
        "ConvNextImageProcessor",
        {"size": {"shortest_edge": 48}, "crop_pct": 0.875, "resample": 2, **IMAGENET},
        6,
        True,
    ),
    "RegNet, a fixed share": (
        "RegNet",
        {**STAGES, "embedding_size": 8, "groups_width": 4},
        "CLIPImageProcessor",
        {
            "size": {"shortest_edge": 56},
            "crop_size": {"height": 48, "width": 48},
            "resample": 3,
            **HALF,
        },
        6,
        True,
    ),
    "MobileViT, blue first": (
        "MobileViT",
        {
            "image_size": 64,
            "hidden_sizes": [12, 16, 20],
            "neck_hidden_sizes": [4, 4, 8, 8, 8, 8, 24],
        }
        | {"num_attention_heads": 2},
        "MobileViTImageProcessor",
        {"size": {"shortest_edge": 72}, "crop_size": {"height": 64, "width": 64}, "resample": 2},
        None,
        True,
    ),
}


@pytest.fixture(scope="module")
def photos():
    """Encoded pictures of several sizes, smooth and with edges, as a photograph is."""
    random = np.random.default_rng(0)
    encoded = []
    for width, height in ((97, 61), (61, 97), (200, 150)):
        coarse = Image.fromarray(random.integers(0, 255, [7, 9, 3], np.uint8))
        picture = np.array(coarse.resize((width, height), Image.Resampling.BICUBIC))
        picture[height // 3 : height // 2, width // 4 : width // 2] = (250, 20, 40)
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "PNG")
        encoded.append(buffer.getvalue())
    return encoded


@pytest.fixture(scope="module")
def save(tmp_path_factory):
    """Saves a tiny vision model with random weights and its processor."""
    logging.set_verbosity_error()

    def run(model, options, processor, how, head="Model", safe=True):
        folder = tmp_path_factory.mktemp(model)
        # TensorFlow's own seed alone leaves Keras's initial values to chance.
        tf_keras.utils.set_random_seed(0)
        config = getattr(transformers, f"{model}Config")(**options)
        built = getattr(transformers, f"TF{model}{head}")(config)
        built.build_in_name_scope()
        for variable in built.trainable_variables:
            variable.assign((5 if variable.shape.rank == 2 else 1) * variable)
        built.save_pretrained(folder, safe_serialization=safe)
        getattr(transformers, processor)(**how).save_pretrained(folder)
        return folder

    return run


def get(tmp_path, folder, modality=None, **config):
    backbone = BackboneConfig(handle=f"hf:{folder}", **config)
    return vendor(backbone, tmp_path / "store", tmp_path, modality)


def refusal(tmp_path, folder, modality=None, **config):
    with pytest.raises(BackboneError) as caught:
        get(tmp_path, folder, modality, **config)
    return str(caught.value)


def processed(folder, photos):
    processor = transformers.AutoImageProcessor.from_pretrained(folder, use_fast=False)
    pictures = [Image.open(io.BytesIO(photo)) for photo in photos]
    return processor(pictures, return_tensors="np")["pixel_values"]


def finish(folder, pictures, wanted):
    """What reaches the model, `[batch, channels, rows, columns]`."""
    processor = transformers.AutoImageProcessor.from_pretrained(folder, use_fast=False)
    steps = plan_steps(read_processor(processor, "model"), wanted)
    return finish_pictures(pictures, steps).numpy()


def spread_of(how):
    return np.array(how.get("image_std", [1, 1, 1]))[:, None, None]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    # The two whose graphs are the largest take two minutes, and are of the same code.
    [
        pytest.param(name, marks=pytest.mark.long)
        if name.startswith(("MobileViT", "Swin"))
        else name
        for name in MODELS
    ],
)
def test_vectors_are_those_of_processor_and_model(tmp_path, save, photos, name):
    model, options, processor, how, layers, any_size = MODELS[name]
    folder = save(model, options, processor, how)
    backbone = get(tmp_path, folder)
    module = load(backbone)
    pictures = prepare_images(tf.constant(photos), backbone.input)
    pixels = finish(folder, pictures, backbone.input)
    # In 256ths. PIL rounds to whole values, after each direction; a bicubic filter clips them too.
    difference = np.abs(pixels - processed(folder, photos)) * spread_of(how) * 255
    assert difference.mean() < 0.35
    assert difference.max() < (1.1 if how["resample"] == 2 else 8)
    outputs = transformers.TFAutoModel.from_pretrained(folder)(pixel_values=pixels)
    wanted = outputs.pooler_output.numpy().reshape(len(photos), -1)
    assert backbone.feature_width == wanted.shape[1]
    assert np.ptp(wanted, axis=0).max() > 0.01
    vectors = module(pictures)
    np.testing.assert_allclose(vectors, wanted, rtol=1e-3, atol=1e-4 * np.abs(wanted).max())
    assert module(tf.zeros([0, backbone.input.height, backbone.input.width, 3])).shape[0] == 0
    check_layers(module, layers)
    if any_size:
        side = 96
        other = get(tmp_path, folder, size=side)
        assert load(other)(prepare_images(tf.constant(photos), other.input)).shape == wanted.shape
    else:
        assert refusal(tmp_path, folder, size=96) == (
            "The model takes 32 x 32 pictures only: leave `size` out.\n  Received: 96"
        )


def check_layers(module, count):
    """Every trainable variable once, from the input to the output, each layer with a gradient."""
    assert count in (None, len(module.layers))
    size = module.interface.input
    with tf.GradientTape() as tape:
        vectors = module(tf.random.uniform([2, size.height, size.width, 3], seed=1))
        loss = tf.reduce_sum(vectors**2)
    for layer, gradients in zip(module.layers, tape.gradient(loss, module.layers), strict=True):
        assert any(float(tf.reduce_max(tf.abs(one))) > 0 for one in gradients), layer[0].name


def test_a_classifiers_weights_without_a_pooler_give_the_class_token(tmp_path, save, photos):
    folder = save(*MODELS["ViT"][:4], head="ForImageClassification", safe=False)
    assert (folder / "tf_model.h5").is_file()
    backbone = get(tmp_path, folder)
    vectors = load(backbone)(prepare_images(tf.constant(photos), backbone.input))
    classifier = transformers.TFViTForImageClassification.from_pretrained(folder)
    hidden = classifier(pixel_values=processed(folder, photos), output_hidden_states=True)
    wanted = classifier.vit.layernorm(hidden.hidden_states[-1])[:, 0]
    np.testing.assert_allclose(vectors, wanted, atol=0.05)


@pytest.fixture(scope="module")
def vit(save):
    return save(*MODELS["ViT"][:4])


def changed(tmp_path, vit, name, **values):
    folder = tmp_path / "changed"
    shutil.copytree(vit, folder)
    content = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps({**content, **values}))
    return folder


def test_a_processor_for_other_pictures_than_the_models(tmp_path, vit):
    size = {"height": 64, "width": 64}
    folder = changed(tmp_path, vit, "preprocessor_config.json", size=size)
    assert refusal(tmp_path, folder) == (
        "The processor makes 64 x 64 pictures, the model takes 32 x 32 ones.\n"
        f"  Received: 'hf:{folder}'"
    )


def test_a_filter_that_the_graph_has_not(tmp_path, vit):
    folder = changed(tmp_path, vit, "preprocessor_config.json", resample=5)
    assert refusal(tmp_path, folder) == (
        "ViTImageProcessor resizes with PIL's filter 5.\n"
        f"  Received: 'hf:{folder}'\n"
        "  Valid: 0 nearest, 1 lanczos3, 2 bilinear, 3 bicubic"
    )


def test_a_processor_without_a_resize(tmp_path, vit):
    folder = changed(tmp_path, vit, "preprocessor_config.json", do_resize=False)
    assert refusal(tmp_path, folder) == (
        "ViTImageProcessor does not bring pictures to one fixed size, but to "
        "{'height': 32, 'width': 32}.\n"
        f"  Received: 'hf:{folder}'"
    )


def test_a_model_without_a_processor(tmp_path, vit):
    folder = tmp_path / "changed"
    shutil.copytree(vit, folder)
    (folder / "preprocessor_config.json").unlink()
    text = refusal(tmp_path, folder)
    assert text.startswith("The model has no preprocessor_config.json, which says how ")
    assert text.endswith(f"  Received: 'hf:{folder}'")


def test_a_feature_of_the_other_kind(tmp_path, vit, bert):
    assert refusal(tmp_path, vit, "text") == (
        f"The backbone takes images; this feature is of kind text.\n  Received: 'hf:{vit}'"
    )
    assert refusal(tmp_path, bert, "image") == (
        f"The backbone takes texts; this feature is of kind image.\n  Received: 'hf:{bert}'"
    )


RELOAD = """
import sys
import numpy as np, tensorflow as tf
folder = sys.argv[1]
model = tf.saved_model.load(folder + "/export")
images = tf.constant(np.load(folder + "/images.npy"))
vectors = model.signatures["serving_default"](images=images)["vectors"]
np.testing.assert_allclose(vectors, np.load(folder + "/vectors.npy"), atol=1e-5)
"""


@pytest.mark.slow
def test_an_export_gives_the_same_with_tensorflow_alone(tmp_path, vit):
    class Whole(tf.Module):
        def __init__(self):
            super().__init__()
            self.backbone = load(get(tmp_path, vit))

        @tf.function(input_signature=[tf.TensorSpec([None, 32, 32, 3], tf.float32, "images")])
        def serve(self, images):
            return {"vectors": self.backbone(images)}

    whole = Whole()
    images = tf.random.uniform([2, 32, 32, 3])
    tf.saved_model.save(whole, str(tmp_path / "export"), signatures=whole.serve)
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "vectors.npy", whole.backbone(images))
    done = subprocess.run(
        [sys.executable, "-c", RELOAD, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
