"""What the demo backbone is pretrained on: letters, the same ones every time."""

import numpy as np
import pytest
from PIL import ImageFont


@pytest.fixture
def letters(script):
    return script("examples/digits/letters.py")


@pytest.fixture
def drawing(script):
    return script("examples/digits/drawing.py")


def few_glyphs(letters):
    font = ImageFont.load_default(2 * letters.CANVAS)
    inks = [letters.draw_glyph(letter, font) for letter in "ABC"]
    fields = np.stack([letters.distance_fields(ink) for ink in inks])
    return letters.Glyphs(fields.astype(np.float32), np.arange(3), 3)


def test_there_is_no_digit_among_the_letters(letters):
    named = "".join(letters.CLASSES)
    assert named.isalpha()
    assert len(set(named)) == len(named)


def test_a_mirrored_letter_is_a_class_of_its_own_unless_it_is_one_already(letters):
    fields = np.random.default_rng(0).random([2, letters.CANVAS, letters.CANVAS, 2])
    labels = np.array([letters.CLASSES.index("A"), letters.CLASSES.index("F")])
    glyphs = letters.with_mirrored(fields, labels)

    assert glyphs.labels.tolist()[:2] == labels.tolist()
    assert len(letters.CLASSES) <= glyphs.labels[2] < glyphs.classes
    assert len(glyphs.labels) == 3
    np.testing.assert_array_equal(glyphs.fields[2], fields[1, :, ::-1])


def test_thinning_a_bar_leaves_its_centre_line(letters):
    bar = np.zeros([9, 20], bool)
    bar[3:6, 2:18] = True
    thinned = letters.thin(bar)

    assert set(np.flatnonzero(thinned.any(axis=1))) == {4}
    assert thinned.sum() >= 12


def test_distances_are_negative_inside_the_outline_and_zero_on_the_centre_line(letters):
    ink = np.zeros([20, 20], bool)
    ink[5:14, 5:14] = True
    fields = letters.distance_fields(ink)

    assert fields[9, 9, 1] == -5
    assert fields[9, 2, 1] == 3
    assert fields[..., 0][letters.thin(ink)].max() == 0


def test_the_same_seed_draws_the_same_pictures(letters, drawing):
    first, again, other = (
        next(iter(drawing.make_pictures(few_glyphs(letters), 4, seed))) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first[0], again[0])
    assert np.abs(first[0] - other[0]).max() > 0.1


def test_pictures_are_grey_in_the_unit_range_and_labels_fit_them(letters, drawing):
    for images, labels in drawing.make_pictures(few_glyphs(letters), 16, 0).take(3):
        assert images.shape == [16, drawing.SIDE, drawing.SIDE, 3]
        assert images.numpy().min() >= 0
        assert images.numpy().max() <= 1
        assert images.numpy().max(axis=(1, 2, 3)).min() > 0.3
        np.testing.assert_array_equal(images[..., 0], images[..., 2])
        assert set(labels.numpy()) <= {0, 1, 2}
