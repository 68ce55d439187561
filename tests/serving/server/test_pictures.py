"""A request's pictures are measured before one of them is decoded."""

import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf

from serving.server.pictures import check_pictures
from serving.server.refusal import Refusal

LIMIT = 1000


def _array(*pictures):
    return np.array(pictures, object)


def _reason(inputs, names=("image",)):
    with pytest.raises(Refusal) as refused:
        check_pictures(inputs, names, LIMIT)
    assert refused.value.http == 400
    return str(refused.value)


def _bomb(width, height):
    """A PNG of a few hundred bytes that claims this size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    )


def test_pictures_within_the_limit_and_missing_ones_pass(picture):
    check_pictures({"image": _array(picture([1, 2, 3]), b"")}, ["image"], LIMIT)


def test_a_picture_that_unpacks_to_too_much_is_refused_with_its_place(picture):
    bomb = _bomb(50_000, 50_000)
    assert _reason({"image": _array(picture([1, 2, 3]), bomb)}) == (
        "image[1]: PNG: 50000x50000 are more than 1000 pixels"
    )


def test_many_pictures_may_not_have_too_many_together():
    passes = _array(*[_bomb(40, 25)] * 8)
    check_pictures({"image": passes}, ["image"], LIMIT)
    assert _reason({"image": _array(*passes, _bomb(1, 1))}) == (
        "The request's pictures have more than 8000 pixels"
    )


def test_a_format_that_is_not_read_is_named():
    assert _reason({"image": _array(b"RIFF\0\0\0\0WEBPVP8 ")}) == (
        "image[0]: WebP: no op of the TensorFlow that serves the model decodes it; "
        "convert it to PNG or JPEG"
    )


def test_a_header_that_is_cut_short_is_refused():
    assert _reason({"image": _array(b"\xff\xd8\xff\xe0")}) == "image[0]: JPEG: damaged or cut short"
    assert _reason({"image": _array(b"\x89PNG\r\n\x1a\n")}) == "image[0]: PNG: damaged or cut short"


def test_pictures_inside_examples_are_measured_too():
    values = {"image": _bomb(9000, 9000), "other": b"x"}
    features = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        for name, value in values.items()
    }
    example = tf.train.Example(features=tf.train.Features(feature=features))
    inputs = {"examples": _array(example.SerializeToString())}
    assert _reason(inputs) == "examples[0].image: PNG: 9000x9000 are more than 1000 pixels"
    check_pictures(inputs, ["missing"], LIMIT)
    assert _reason({"examples": _array(b"\xff")}) == "examples[0]: not a serialized tf.Example"


def test_texts_that_look_like_pictures_are_none_of_its_business():
    check_pictures({"text": _array(b"BMW 320", b"hello")}, [], LIMIT)
    check_pictures({"text": _array(b"BMW 320"), "image": _array(b"")}, ["image"], LIMIT)
