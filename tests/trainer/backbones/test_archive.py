"""Archives come from strangers: what is unpacked, and what is refused."""

import tarfile

import pytest

from preprocessing.errors import BackboneError
from trainer.backbones.archive import extract


def unpack(tmp_path, content, **bounds):
    archive = tmp_path / "model.tar.gz"
    archive.write_bytes(content)
    extract(archive, tmp_path / "out", "the handle", **bounds)
    return tmp_path / "out"


def refusal(tmp_path, content, **bounds):
    with pytest.raises(BackboneError) as caught:
        unpack(tmp_path, content, **bounds)
    return str(caught.value)


@pytest.mark.parametrize("mode", ["w:gz", "w", "w:bz2", "w:xz"])
def test_files_and_folders_are_unpacked_whatever_the_compression(tmp_path, tar, mode):
    out = unpack(tmp_path, tar([("saved_model.pb", b"abc"), ("./variables/v", b"d")], mode))
    assert (out / "saved_model.pb").read_bytes() == b"abc"
    assert (out / "variables" / "v").read_bytes() == b"d"


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "a/../../evil"])
def test_a_path_that_leads_out_is_refused(tmp_path, tar, name):
    assert refusal(tmp_path, tar([("ok", b"1"), (name, b"2")])) == (
        f"The archive has a path that leads out of it: {name!r}.\n  Received: 'the handle'"
    )
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path, tar, kind):
    info = tarfile.TarInfo("link")
    info.type, info.linkname = kind, "/etc/passwd"
    assert refusal(tmp_path, tar([(info, b"")])) == (
        "The archive has a link or a device in it: 'link'.\n  Received: 'the handle'"
    )


def test_an_archive_that_would_fill_the_disk_is_refused(tmp_path, tar):
    bomb = tar([("zeros", bytes(10_000))])
    assert refusal(tmp_path, bomb, max_bytes=9_999) == (
        "The archive holds more than 9999 bytes or 10000 files.\n  Received: 'the handle'"
    )
    assert not (tmp_path / "out" / "zeros").exists()


def test_no_truncation_passes_for_a_whole_archive(tmp_path, tar):
    import random

    noise = random.Random(0).randbytes(3_000)
    whole = tar([("a", noise), ("b", noise[::-1])])
    for length in range(1, len(whole), 97):
        assert "truncated or damaged" in refusal(tmp_path, whole[:length])
    assert "truncated or damaged" in refusal(tmp_path, whole[:-1])


def test_a_flipped_bit_is_noticed_by_the_checksum(tmp_path, tar):
    import random

    whole = bytearray(tar([("a", random.Random(0).randbytes(3_000))]))
    whole[len(whole) // 2] ^= 1
    assert "truncated or damaged" in refusal(tmp_path, bytes(whole))


def test_a_web_page_in_place_of_an_archive_is_called_one(tmp_path):
    assert refusal(tmp_path, b"\n<!DOCTYPE html><html>") == (
        "A web page is here where an archive was expected; a Kaggle handle ends in framework, "
        "variation and version, such as …/TensorFlow2/035-224-feature-vector/2.\n"
        "  Received: 'the handle'"
    )


def test_anything_else_is_called_no_archive(tmp_path):
    assert refusal(tmp_path, b"PK\x03\x04 a zip") == (
        "The file is not a tar archive, or is truncated or damaged.\n  Received: 'the handle'"
    )
