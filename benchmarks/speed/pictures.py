"""As many pictures as wanted from a folder of real ones, by random crops.

Every picture has other content, so that nothing that keeps results by content
has it too easy; class folders stay. The same seed gives the same files.
"""

import concurrent.futures
import functools
import hashlib
import io
import itertools
import random
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

KEPT_SHARE = 0.85  # of each side, at least
# Smaller pictures have too few pixels for crops that differ: they get a little noise.
SMALLEST_SIDE = 32
NOISE = 2  # grey levels of 255
SPLITS = ("train", "val", "eval", "validation", "test")
SUFFIXES = (".jpg", ".jpeg", ".png")
_DONE = ".whole"
_CHUNK = 64


def make_pictures(source: Path, target: Path, count: int, start: int = 0, seed: int = 1) -> int:
    """Writes pictures `start` to `start + count` of the endless row that a source gives.

    Args:
        source: Class folders of JPEG and PNG files, optionally below `train/` and the like.
        target: Gets `<class>/<number>.<suffix>`; what it holds already stays.
        count: How many.
        start: Number of the first one.
        seed: Of the crops.

    Returns:
        The bytes of the files.

    Raises:
        ValueError: If there are no pictures in class folders.
    """
    found = find_pictures(source)
    if not found:
        raise ValueError(f"no pictures in class folders: {source}")
    # Deal them so that a few pictures are of many classes.
    row = _deal(found)
    numbers = range(start, start + count)
    chunks = [numbers[at : at + _CHUNK] for at in range(0, count, _CHUNK)]
    work = functools.partial(_write, row, target, seed)
    if len(chunks) < 4:
        return sum(map(work, chunks))
    with concurrent.futures.ProcessPoolExecutor() as pool:
        return sum(pool.map(work, chunks))


def picture_folder(source: Path, cache: Path, count: int) -> Path:
    """Gives a folder of so many pictures, made where it is not there yet and whole."""
    name = hashlib.sha256(str(source.resolve()).encode()).hexdigest()[:8]
    target = cache / f"pictures-{name}-{count}"
    if not (cache / f"{target.name}{_DONE}").exists():
        shutil.rmtree(target, ignore_errors=True)
        make_pictures(source, target, count)
        (cache / f"{target.name}{_DONE}").touch()
    return target


def find_pictures(source: Path) -> list[tuple[str, Path]]:
    """Lists `(class, path)` of every picture: the folder below the source, or below a split."""
    found = []
    for path in sorted(source.rglob("*")):
        parts = path.relative_to(source).parts
        if path.suffix.lower() not in SUFFIXES:
            continue
        if len(parts) > 2 and parts[0].lower() in SPLITS:
            parts = parts[1:]
        if len(parts) > 1:
            found.append((parts[0], path))
    return found


def _deal(found: Sequence[tuple[str, Path]]) -> list[tuple[str, Path]]:
    """Orders pictures so that each class comes once in a turn, as long as it lasts."""
    classes: dict[str, list[tuple[str, Path]]] = {}
    for one in found:
        classes.setdefault(one[0], []).append(one)
    turns = itertools.zip_longest(*classes.values())
    return [one for turn in turns for one in turn if one is not None]


def _write(row: Sequence[tuple[str, Path]], target: Path, seed: int, numbers: range) -> int:
    size = 0
    for number in numbers:
        label, path = row[number % len(row)]
        content = _crop(path, random.Random(f"{seed}/{number}"))
        folder = target / label
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:07d}{path.suffix.lower()}").write_bytes(content)
        size += len(content)
    return size


def _crop(path: Path, draw: random.Random) -> bytes:
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
        kind = opened.format
    width, height = (max(side, SMALLEST_SIDE) for side in picture.size)
    share = 1 - (1 - KEPT_SHARE) * draw.random()
    wide, high = picture.width * share, picture.height * share
    left, top = draw.uniform(0, picture.width - wide), draw.uniform(0, picture.height - high)
    box = (left, top, left + wide, top + high)
    cut = picture.resize((width, height), Image.Resampling.BICUBIC, box=box)
    if min(picture.size) < SMALLEST_SIDE:
        noise = np.random.default_rng(draw.getrandbits(32)).integers(
            -NOISE, NOISE + 1, (height, width, 3)
        )
        cut = Image.fromarray(np.clip(np.asarray(cut) + noise, 0, 255).astype(np.uint8))
    out = io.BytesIO()
    cut.save(out, format=kind, **({"quality": 88} if kind == "JPEG" else {}))
    return out.getvalue()
