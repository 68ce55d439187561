"""The demo's pictures are scikit-learn's digits, every pixel of them."""

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits


@pytest.fixture
def pictures(script):
    return script("examples/digits/pictures.py")


def test_every_digit_is_written_into_its_class_folder(pictures, tmp_path):
    assert pictures.write_pictures(tmp_path / "new" / "folder") == 1797

    written = sorted((tmp_path / "new" / "folder").glob("*/*"))
    digits = load_digits()
    by_number = sorted(written, key=lambda path: path.name)
    assert [path.parent.name for path in by_number] == [str(digit) for digit in digits.target]
    assert len({path.name for path in written}) == 1797


def test_a_picture_holds_the_sixteen_levels_stretched_to_a_byte(pictures, tmp_path):
    pictures.write_pictures(tmp_path)

    digits = load_digits()
    for number in (0, 1000, 1796):
        with Image.open(tmp_path / str(digits.target[number]) / f"{number:04d}.png") as picture:
            assert (picture.mode, picture.size) == ("L", (8, 8))
            levels = np.asarray(picture) / 255 * 16
        np.testing.assert_allclose(levels, digits.images[number], atol=0.05)


def test_writing_twice_gives_the_same_bytes(pictures, tmp_path):
    pictures.write_pictures(tmp_path / "one")
    pictures.write_pictures(tmp_path / "two")
    pictures.write_pictures(tmp_path / "two")

    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / name).glob("*/*")}
        for name in ("one", "two")
    )
    assert first == second
