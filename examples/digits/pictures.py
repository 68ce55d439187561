"""Writes scikit-learn's bundled handwritten digits as picture files.

The data is the test set of UCI's "Optical Recognition of Handwritten Digits",
1,797 pictures of 8x8 pixels, bright on dark. It comes with scikit-learn, so
nothing is downloaded:

    python examples/digits/pictures.py FOLDER
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

LEVELS = 16  # the brightest grey level of the bundled data


def write_pictures(folder: Path) -> int:
    """Writes every digit as `<folder>/<digit>/<number>.png`, 8x8 grey.

    The same bytes every time; files that exist are written over, others stay.

    Args:
        folder: Made where it does not exist. Below it one folder for each class,
            "0" to "9".

    Returns:
        How many pictures were written.
    """
    digits = load_digits()
    for number, (levels, digit) in enumerate(zip(digits.images, digits.target, strict=True)):
        path = folder / str(digit) / f"{number:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.round(levels * 255 / LEVELS).astype(np.uint8)).save(path)
    return len(digits.target)


def main() -> None:
    """Writes the pictures into the folder that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the class folders go")
    folder = parser.parse_args().folder
    sys.stdout.write(f"{write_pictures(folder)} pictures in {folder}\n")


if __name__ == "__main__":
    main()
