"""Vendoring: pinned, verified, remembered, offline ever after."""

import shutil
import subprocess
import sys

import pytest

from preprocessing.config import BackboneConfig
from preprocessing.errors import BackboneError
from trainer.backbones.load import load
from trainer.backbones.store import entry
from trainer.backbones.vendor import vendor

PATH = "/google/tiny/1"
OTHER = "sha256:" + "0" * 64


@pytest.fixture
def online(server, answer, tiny, tar_of):
    server.answers[PATH] = answer(body=tar_of(tiny))
    return server


def get(tmp_path, handle, **config):
    return vendor(BackboneConfig(handle=f"hub:{handle}", **config), tmp_path / "store", tmp_path)


def refusal(tmp_path, handle, **config):
    with pytest.raises(BackboneError) as caught:
        get(tmp_path, handle, **config)
    return str(caught.value)


def test_a_url_is_asked_once_and_gives_the_digest_of_its_content(tmp_path, online, tiny):
    url = online.url(PATH)
    first = get(tmp_path, url)
    online.answers.clear()
    assert get(tmp_path, url) == first
    assert len(online.asked) == 1
    assert first.digest == get(tmp_path, tiny).digest


def test_a_relative_path_starts_at_the_configs_folder(tmp_path, tiny):
    shutil.copytree(tiny, tmp_path / "config" / "model")
    config = BackboneConfig(handle="hub:model")
    assert vendor(config, tmp_path / "store", tmp_path / "config").feature_width == 4


def test_a_changed_local_folder_is_vendored_anew(tmp_path, tiny, save_model):
    shutil.copytree(tiny, tmp_path / "model")
    first = get(tmp_path, "model")
    shutil.rmtree(tmp_path / "model")
    shutil.copytree(save_model(shape=(None, 4, 4, 3)), tmp_path / "model")
    second = get(tmp_path, "model")
    assert (first.input.height, second.input.height) == (8, 4)
    assert first.digest != second.digest


@pytest.mark.parametrize("remote", [True, False])
def test_a_wrong_pin_is_one_error_with_both_digests_and_nothing_is_kept(
    tmp_path, online, tiny, remote
):
    handle = online.url(PATH) if remote else str(tiny)
    found = vendor(BackboneConfig(handle=f"hub:{tiny}"), tmp_path / "elsewhere", tmp_path).digest
    assert refusal(tmp_path, handle, digest=OTHER) == (
        f"The content of 'hub:{handle}' is not the one that the config pins.\n"
        f"  Pinned: {OTHER}\n"
        f"  Found:  {found}\n"
        "  If the new content is wanted, write its digest into the config."
    )
    assert list((tmp_path / "store").iterdir()) == []


def test_a_pin_added_later_is_compared_with_what_the_store_has(tmp_path, online):
    url = online.url(PATH)
    found = get(tmp_path, url).digest
    assert get(tmp_path, url, digest=found).digest == found
    assert f"Found:  {found}" in refusal(tmp_path, url, digest=OTHER)
    assert len(online.asked) == 1


def test_a_pinned_url_needs_no_network_where_the_store_has_its_content(tmp_path, server, tiny):
    digest = get(tmp_path, tiny).digest
    assert get(tmp_path, server.url("/never/asked"), digest=digest).digest == digest
    assert server.asked == []


def test_a_pin_is_no_excuse_for_a_local_path_with_other_content(tmp_path, tiny, save_model):
    digest = get(tmp_path, tiny).digest
    other = save_model(shape=(None, 4, 4, 3))
    assert "is not the one that the config pins" in refusal(tmp_path, other, digest=digest)


@pytest.mark.parametrize("name", ["saved_model.pb", "variables/variables.data-00000-of-00001"])
def test_a_truncated_copy_in_the_store_is_fetched_again(tmp_path, online, name):
    url = online.url(PATH)
    backbone = get(tmp_path, url)
    file = entry(tmp_path / "store", backbone.digest) / name
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    assert get(tmp_path, url) == backbone
    assert file.read_bytes() == whole
    assert len(online.asked) == 2


def test_a_damaged_copy_that_cannot_be_fetched_again_says_both(tmp_path, online):
    url = online.url(PATH)
    backbone = get(tmp_path, url)
    (entry(tmp_path / "store", backbone.digest) / "saved_model.pb").write_bytes(b"")
    online.answers.clear()
    first, second, *_ = refusal(tmp_path, url).splitlines()
    assert first == (
        f"The store's copy is damaged and has to be made anew: "
        f"{entry(tmp_path / 'store', backbone.digest)}"
    )
    assert second == "The server answered 404: it knows no such model or version."


@pytest.mark.parametrize("status", [403, 404])
def test_a_refused_download_leaves_no_half_cache(tmp_path, server, answer, status):
    server.answers[PATH] = answer(status)
    assert refusal(tmp_path, server.url(PATH)).startswith(f"The server answered {status}: ")
    assert list((tmp_path / "store").iterdir()) == []


@pytest.mark.parametrize("announced", [None, -1])
def test_a_truncated_archive_is_never_taken_for_a_whole_one(
    tmp_path, server, answer, tiny, tar_of, announced
):
    whole = tar_of(tiny)
    for length in (len(whole) // 3, len(whole) // 2, len(whole) - 10):
        server.answers[PATH] = answer(body=whole[:length], announced=announced)
        assert "truncated or damaged" in refusal(tmp_path, server.url(PATH))
    assert list((tmp_path / "store").iterdir()) == []


def test_an_archive_that_leads_out_writes_nothing(tmp_path, server, answer, tar):
    server.answers[PATH] = answer(body=tar([("../../evil", b"x")]))
    assert "leads out of it" in refusal(tmp_path, server.url(PATH))
    assert not list(tmp_path.rglob("evil"))


def test_loading_refuses_a_copy_that_was_changed_after_vendoring(tmp_path, tiny):
    backbone = get(tmp_path, tiny)
    (entry(tmp_path / "store", backbone.digest) / "extra").touch()
    with pytest.raises(BackboneError) as caught:
        load(backbone)
    assert str(caught.value).startswith(
        f"The vendored copy of 'hub:{tiny}' is missing or was changed: expected {backbone.digest}, "
        "found sha256:"
    )


def test_loading_needs_the_store_alone(tmp_path, tiny):
    shutil.copytree(tiny, tmp_path / "model")
    backbone = get(tmp_path, "model")
    shutil.rmtree(tmp_path / "model")
    assert load(backbone) is not None


@pytest.mark.slow
def test_two_runs_that_start_at_once_share_one_store(tmp_path, online):
    code = (
        "import sys, pathlib\n"
        "from preprocessing.config import BackboneConfig\n"
        "from trainer.backbones.vendor import vendor\n"
        "store = pathlib.Path(sys.argv[1])\n"
        "print(vendor(BackboneConfig(handle=sys.argv[2]), store, store).digest)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "store"), f"hub:{online.url(PATH)}"]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    digests = {run.communicate(timeout=300)[0].strip() for run in runs}
    (digest,) = digests
    names = {path.name for path in (tmp_path / "store").iterdir()}
    assert names == {entry(tmp_path / "store", digest).name, "sources"}
