"""The size of a picture is known before it is decoded."""

import io
import struct

import pytest
import tensorflow as tf
from PIL import Image

from preprocessing.picture_size import PictureSize, picture_size, size_refusal


def _encode(kind, frames=1, **options):
    pictures = [Image.new("RGB", (7, 5), (40 * at, 0, 0)) for at in range(frames)]
    file = io.BytesIO()
    if frames > 1:
        options |= {"save_all": True, "append_images": pictures[1:]}
    pictures[0].save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP"])
def test_the_headers_tell_the_size(kind):
    assert picture_size(kind, _encode(kind)) == PictureSize(7, 5, 1, 35)


def test_every_frame_of_a_gif_counts():
    encoded = _encode("GIF", frames=4, comment=b"x" * 700)
    assert picture_size("GIF", encoded) == PictureSize(7, 5, 4, 4 * 35)


def test_a_gif_is_counted_as_far_as_it_goes():
    encoded = _encode("GIF", frames=4)
    counts = [picture_size("GIF", encoded[:end]).frames for end in range(13, len(encoded) + 1)]
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (0, 4)


def test_a_picture_that_ends_in_its_header_has_no_size():
    with pytest.raises(struct.error):
        picture_size("PNG", _encode("PNG")[:20])
    with pytest.raises(tf.errors.InvalidArgumentError):
        picture_size("JPEG", _encode("JPEG")[:20])


def test_too_many_pixels_are_refused_with_their_number():
    assert size_refusal("PNG", PictureSize(7, 5, 1, 35), 35) is None
    assert size_refusal("PNG", PictureSize(7, 5, 1, 35), 34) == "PNG: 7x5 are more than 34 pixels"
    assert size_refusal("PNG", PictureSize(0, 5, 1, 0)) == "PNG: the picture has no pixels (0x5)"
    assert size_refusal("GIF", PictureSize(7, 5, 4, 140), 139) == (
        "GIF: its 4 frames have more than 139 pixels together"
    )
