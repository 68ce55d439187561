"""Every picture is really decoded, and what is wrong is said."""

import os
import random
import struct
import zlib

import pytest
import tensorflow as tf

from components.example_gen import inspect
from components.example_gen.inspect import (
    MAX_BYTES,
    Inspected,
    Picture,
    inspect_picture,
    inspect_pictures,
    inspect_rows,
    read_picture,
)
from components.example_gen.rows import Quarantined, Row, UnusableError
from components.example_gen.sources.columns import Columns
from preprocessing.config import ImageFeature
from preprocessing.formats import MAX_PIXELS

COLUMNS = Columns.of({"image": ImageFeature(backbone="hub:x")})


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP"])
def test_a_picture_is_described(picture, kind):
    encoded = picture(1, kind, size=(33, 17))
    found = inspect_picture(encoded)
    assert (found.format, found.width, found.height) == (kind, 33, 17)
    assert found.bytes == len(encoded)
    assert len(found.sha256) == 64


def test_a_picture_of_one_pixel_is_usable(picture):
    for kind in ("JPEG", "PNG"):
        assert inspect_picture(picture(1, kind, size=(1, 1))).width == 1


def _reason(encoded: bytes) -> str:
    with pytest.raises(UnusableError) as error:
        inspect_picture(encoded)
    return str(error.value)


def _png_header(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk


def test_reasons_are_plain(picture):
    assert _reason(b"") == "the file is empty"
    assert _reason(picture(1, "WEBP")).startswith("WebP: no op of the TensorFlow that serves")
    assert _reason(picture(1, "JPEG")[:400]) == (
        "JPEG: damaged or cut short (Invalid JPEG data, size 400)"
    )
    assert _reason(picture(1, "PNG")[:20]).startswith("PNG: damaged or cut short (")
    assert _reason(_png_header(0, 5)) == "PNG: the picture has no pixels (0x5)"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_a_picture_cut_short_is_refused(picture, kind, share):
    encoded = picture(1, kind, size=(64, 64))
    start = 12
    assert _reason(encoded[: start + int(share * (len(encoded) - start))]).startswith(kind)


def test_absurd_dimensions_are_refused_before_anything_is_decoded():
    assert _reason(_png_header(60_000, 60_000)) == (
        f"PNG: 60000x60000 are more than {MAX_PIXELS} pixels"
    )


def test_an_eighth_of_a_jpeg_tells_what_the_whole_would(picture):
    """Cheap inspection is only right where both sizes refuse the same files."""
    chance = random.Random(5)
    originals = [picture(seed, "JPEG", size=(64, 48), progressive=seed % 2) for seed in range(6)]
    refused = 0
    for round_number in range(300):
        encoded = bytearray(chance.choice(originals))
        if round_number % 3 == 0:
            del encoded[chance.randrange(len(encoded)) :]
        elif round_number % 3 == 1:
            for _ in range(chance.choice((1, 5, 50))):
                encoded[chance.randrange(len(encoded))] = chance.randrange(256)
        else:
            start = chance.randrange(len(encoded))
            del encoded[start : start + chance.randrange(1, 300)]
        whole, eighth = (_decodes(bytes(encoded), ratio) for ratio in (1, 8))
        assert whole == eighth
        refused += not whole
    assert 50 < refused < 250


def test_many_at_once_are_judged_as_each_by_itself(picture):
    """Whatever is wrong with some of a group, and whatever stands beside them."""
    chance = random.Random(6)
    originals = [
        picture(seed, "JPEG", size=(64, 48), progressive=seed % 2, quality=20 + 10 * seed)
        for seed in range(6)
    ]
    files = [b"", b"nothing", picture(7), picture(8, "GIF"), picture(9, "WEBP")]
    for original in originals:
        files += [original, original + b"behind", original[:2], original[:-2]]
        cuts = [original[:at] for at in range(3, len(original), len(original) // 12)]
        files += [*cuts, _large(original)]
        for _ in range(15):
            flipped = bytearray(original)
            flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
            files.append(bytes(flipped))
    chance.shuffle(files)
    found = inspect_pictures(files)
    refused = [one for one in found if isinstance(one, UnusableError)]
    assert 90 < len(refused) < len(files) - 30
    for encoded, one in zip(files, found, strict=True):
        if isinstance(one, UnusableError):
            assert _reason(encoded) == str(one)
        else:
            assert inspect_picture(encoded) == one


def _large(jpeg: bytes) -> bytes:
    """Writes another size into the frame's header, baseline or progressive."""
    at = max(jpeg.find(b"\xff\xc0"), jpeg.find(b"\xff\xc2")) + 5
    return jpeg[:at] + struct.pack(">HH", 60_000, 60_000) + jpeg[at + 4 :]


def test_what_is_too_large_to_hold_with_others_is_looked_at_at_once(
    make_folder, picture, monkeypatch
):
    monkeypatch.setattr(inspect, "_HELD_BYTES", 1)
    root = make_folder({"1.jpg": picture(1, "JPEG"), "2.jpg": b"x", "3.png": 3})
    paths = [f"{root}/{name}" for name in ("1.jpg", "2.jpg", "3.png", "4.png")]
    rows = [Row(path, {"image": path}, "a") for path in paths]
    first, second, third, fourth = inspect_rows(rows, COLUMNS, threads=1)
    assert first.pictures["image"] == inspect_picture(picture(1, "JPEG"))
    assert second.reason.startswith("not a JPEG")
    assert third.pictures["image"] == inspect_picture(picture(3))
    assert fourth.reason == f"no such file: {paths[3]}"


def _decodes(encoded: bytes, ratio: int) -> bool:
    try:
        tf.io.decode_jpeg(encoded, channels=3, ratio=ratio, dct_method="INTEGER_ACCURATE")
    except tf.errors.OpError:
        return False
    return True


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path):
    with pytest.raises(UnusableError, match=f"no such file: {tmp_path}/no.png"):
        read_picture(f"{tmp_path}/no.png")
    with pytest.raises(UnusableError, match="the file cannot be read: .*[Dd]irectory"):
        read_picture(str(tmp_path))
    with pytest.raises(UnusableError, match="no such file: a\0b"):
        read_picture("a\0b")


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "1.png"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    for name in (str(path), f"file://{path}"):
        with pytest.raises(UnusableError, match="the file has 256000001 bytes, more than 2560000"):
            read_picture(name)


def test_an_address_is_read_through_tensorflows_file_systems(tmp_path, picture):
    (tmp_path / "1.png").write_bytes(picture(1, "PNG"))
    assert read_picture(f"file://{tmp_path}/1.png") == picture(1, "PNG")
    with pytest.raises(UnusableError, match=f"no such file: file://{tmp_path}/no.png"):
        read_picture(f"file://{tmp_path}/no.png")
    with pytest.raises(UnusableError, match="the file cannot be read: .*[Dd]irectory"):
        read_picture(f"file://{tmp_path}")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_named(tmp_path):
    path = tmp_path / "1.png"
    path.write_bytes(b"")
    path.chmod(0)
    with pytest.raises(UnusableError, match="no permission"):
        read_picture(str(path))


def test_rows_keep_their_order_and_the_bad_ones_their_reasons(make_folder, picture):
    root = make_folder({"1.png": 1, "2.png": b"nothing", "3.png": 3})
    rows = [Row(f"{n}.png", {"image": f"{root}/{n}.png"}, "a", "train") for n in (1, 2, 3)]
    first, second, third = inspect_rows(rows, COLUMNS, threads=3)
    assert isinstance(first, Inspected)
    assert first.row == rows[0]
    assert second == Quarantined(
        "2.png",
        "not a JPEG, PNG, GIF or BMP: the file starts with b'nothing'",
        "train",
        "a",
    )
    assert third.pictures["image"] == inspect_picture(picture(3))


def test_content_is_the_picture_or_all_pictures():
    def seen(**digests: str) -> Inspected:
        pictures = {name: Picture(digest, "PNG", 1, 1, 1) for name, digest in digests.items()}
        return Inspected(Row("x", digests, "a"), pictures)

    assert seen(image="ab").content == "ab"
    assert seen(front="ab", back="cd").content == seen(back="cd", front="ab").content
    assert seen(front="ab", back="cd").content != seen(front="cd", back="ab").content


def test_content_is_that_of_all_features_and_not_of_label_name_or_carried_columns():
    def seen(values: dict, label: str = "a", **carried: str) -> Inspected:
        pictures = {"image": Picture("ab", "PNG", 1, 1, 1)} if values.get("image") else {}
        return Inspected(Row("x", values, label, carried=carried), pictures)

    content = seen({"image": "one.png", "name": "chair"}).content
    assert seen({"image": "two.png", "name": "chair"}, "b", shop="x").content == content
    others = [{"image": "one.png", "name": "table"}, {"image": "", "name": "chair"}]
    assert len({content, *(seen(values).content for values in others)}) == 3
    assert len(seen({"name": "chair"}).content) == 64
