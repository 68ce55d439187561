"""Resizing and scaling: hand-computed values, and the same in every way of running."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from preprocessing.decode import decode_image
from preprocessing.image import is_missing, prepare_images, resize_and_scale
from preprocessing.inputs import ImageInput


def png(pixels):
    return tf.io.encode_png(np.asarray(pixels, np.uint8)).numpy()


WANTED = ImageInput(height=2, width=2, input_range=(-1.0, 1.0))


def test_black_and_white_reach_the_ends_of_the_range():
    picture = np.array([[[0] * 3, [255] * 3], [[255] * 3, [0] * 3]], np.uint8)
    scaled = resize_and_scale(tf.constant(picture), WANTED).numpy()
    np.testing.assert_allclose(scaled[..., 0], [[-1, 1], [1, -1]], atol=1e-6)


def test_a_range_of_0_to_255_leaves_the_values_as_they_are():
    picture = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    wanted = ImageInput(height=2, width=2, input_range=(0.0, 255.0))
    np.testing.assert_allclose(
        resize_and_scale(tf.constant(picture), wanted), picture.astype(np.float32), atol=1e-4
    )


def test_shrinking_averages_instead_of_sampling_single_pixels():
    stripes = np.zeros((4, 4, 3), np.uint8)
    stripes[:, ::2] = 200
    wanted = ImageInput(height=1, width=1, input_range=(0.0, 255.0))
    np.testing.assert_allclose(
        resize_and_scale(tf.constant(stripes), wanted).numpy().ravel(), [100.0] * 3, atol=1.0
    )


@pytest.mark.parametrize("size", [(1, 1), (3, 64), (40, 33), (63, 64), (64, 64), (64, 65), (90, 9)])
def test_a_picture_that_grows_is_what_the_averaging_op_would_make_of_it(size):
    """It is resized by another op, which is faster; both round coordinates, on noise up to 5e-5."""
    picture = tf.constant(np.random.default_rng(5).integers(0, 256, (*size, 3)).astype(np.uint8))
    wanted = ImageInput(height=64, width=64, input_range=(0.0, 1.0))
    averaged = tf.image.resize(picture, [64, 64], antialias=True) / 255.0
    np.testing.assert_allclose(resize_and_scale(picture, wanted), averaged, atol=1e-4, rtol=0)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 1), (3, 4), (33, 17)])
def test_any_size_of_picture_gives_the_wanted_one(size):
    images = prepare_images(tf.constant([png(np.full((*size, 3), 255))]), WANTED)
    np.testing.assert_allclose(images, np.ones((1, 2, 2, 3)), atol=1e-5)


def test_an_empty_batch_gives_an_empty_batch():
    assert prepare_images(tf.constant([], tf.string), WANTED).shape == (0, 2, 2, 3)


def test_eager_graph_and_dataset_give_the_same():
    encoded = [png(np.random.default_rng(n).integers(0, 256, (9, 6, 3))) for n in range(3)]
    eager = prepare_images(tf.constant(encoded), WANTED).numpy()
    graph = tf.function(lambda batch: prepare_images(batch, WANTED))(tf.constant(encoded))
    dataset = tf.data.Dataset.from_tensor_slices(encoded).batch(2)
    piped = list(dataset.map(lambda batch: prepare_images(batch, WANTED)).unbatch())
    np.testing.assert_array_equal(eager, graph)
    np.testing.assert_array_equal(eager, np.stack(piped))


@pytest.mark.parametrize("range_", [(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)])
@pytest.mark.parametrize("edge", [None, 2])
def test_a_missing_picture_is_black_and_changes_no_other(range_, edge):
    wanted = ImageInput(height=2, width=2, input_range=range_, shortest_edge=edge)
    images = prepare_images(tf.constant([b"", png(np.full((5, 4, 3), 255)), b""]), wanted)
    np.testing.assert_allclose(images[0], np.full((2, 2, 3), range_[0]))
    np.testing.assert_allclose(images[1], np.full((2, 2, 3), range_[1]), atol=1e-4)
    assert is_missing(tf.constant([b"", b"x"])).numpy().tolist() == [True, False]


@pytest.mark.parametrize("resample", ["bilinear", "bicubic", "lanczos3", "nearest"])
def test_every_way_to_resample_keeps_within_the_range(resample):
    edges = np.zeros((6, 6, 3), np.uint8)
    edges[2:4] = 255
    wanted = ImageInput(height=9, width=9, input_range=(0.0, 1.0), resample=resample)
    scaled = resize_and_scale(tf.constant(edges), wanted).numpy()
    assert scaled.dtype == np.float32
    assert (scaled.min(), scaled.max()) == (0.0, pytest.approx(1.0, abs=0.01))


@pytest.mark.parametrize("edge", range(2, 40))
def test_the_centre_is_cut_out_without_a_border_whatever_the_size(edge):
    """A side one pixel short, as rounding would give, would be filled with black."""
    wanted = ImageInput(height=edge, width=edge, input_range=(0.0, 1.0), shortest_edge=edge)
    white = tf.fill([7, 41, 3], tf.constant(255, tf.uint8))
    np.testing.assert_allclose(resize_and_scale(white, wanted), np.ones((edge, edge, 3)), atol=1e-5)


def test_the_centre_of_a_wide_picture_is_its_middle():
    picture = np.zeros((2, 6, 3), np.uint8)
    picture[:, 2:4] = 255
    wanted = ImageInput(height=2, width=2, input_range=(0.0, 1.0), shortest_edge=2)
    np.testing.assert_allclose(resize_and_scale(tf.constant(picture), wanted), np.ones((2, 2, 3)))


def _photo(height: int, width: int, **options) -> bytes:
    """Soft areas, hard edges, single lines and the grain of a sensor."""
    rows, columns = np.mgrid[:height, :width]
    waves = [np.sin(rows / 29 + columns / (17 + 11 * channel)) for channel in range(3)]
    pixels = 128 + 90 * np.stack(waves, axis=-1)
    pixels[height // 3 : height // 2, width // 5 : width // 2] = [250, 30, 60]
    pixels[:, :: max(1, width // 9)] = 15
    pixels += np.random.default_rng(3).normal(0, 5, pixels.shape)
    encoded = tf.io.encode_jpeg(np.clip(pixels, 0, 255).astype(np.uint8), quality=88, **options)
    return encoded.numpy()


@pytest.mark.parametrize("size", [(8, 12), (16, 17), (33, 32)])
@pytest.mark.parametrize("resample", ["bilinear", "bicubic"])
@pytest.mark.parametrize("edge", [None, 48])
def test_fast_decoding_of_a_large_jpeg_stays_within_the_tolerance(size, resample, edge):
    """Of 255, where single lines and hard edges are cut: 0.7 on average, 8 at 99.9 %."""
    photo = _photo(size[0] * 48, size[1] * 48)
    wanted = ImageInput(
        height=48, width=48, input_range=(0.0, 255.0), resample=resample, shortest_edge=edge
    )
    fast, exact = (
        prepare_images(tf.constant([photo]), wanted, how).numpy() for how in ("fast", "exact")
    )
    apart = np.abs(fast - exact)
    assert 0 < apart.mean() <= 0.7
    assert np.quantile(apart, 0.999) <= 8


@pytest.mark.parametrize("size", [(40, 40), (383, 400), (600, 383), (96, 2000)])
def test_a_jpeg_that_is_not_eight_times_as_large_both_ways_is_decoded_exactly(size):
    wanted = ImageInput(height=48, width=48, input_range=(0.0, 1.0))
    photo = tf.constant([_photo(*size)])
    fast, exact = (prepare_images(photo, wanted, how).numpy() for how in ("fast", "exact"))
    np.testing.assert_array_equal(fast, exact)


def test_single_pixels_are_taken_from_the_whole_picture():
    wanted = ImageInput(height=48, width=48, input_range=(0.0, 1.0), resample="nearest")
    photo = tf.constant([_photo(600, 600)])
    fast, exact = (prepare_images(photo, wanted, how).numpy() for how in ("fast", "exact"))
    np.testing.assert_array_equal(fast, exact)


def test_four_times_the_wanted_size_is_always_left():
    for factor, left in ((7, 7), (8, 4), (15, 7.5), (16, 4), (31, 7.75), (32, 4), (50, 6.25)):
        decoded = decode_image(tf.constant(_photo(20 * factor, 32 * factor)), (20, 32))
        assert tuple(decoded.shape) == (20 * left, 32 * left, 3)


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGB"])
@pytest.mark.parametrize("progressive", [False, True])
def test_every_kind_of_jpeg_is_decoded_fast(mode, progressive):
    pixels = tf.io.decode_jpeg(_photo(384, 400)).numpy()
    buffer = io.BytesIO()
    picture = Image.fromarray(pixels).convert(mode)
    picture.save(buffer, "JPEG", progressive=progressive, quality=90)
    wanted = ImageInput(height=48, width=48, input_range=(0.0, 255.0))
    encoded = tf.constant([buffer.getvalue()])
    fast, exact = (prepare_images(encoded, wanted, how).numpy() for how in ("fast", "exact"))
    assert 0 < np.abs(fast - exact).mean() <= 0.7
