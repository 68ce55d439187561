"""Publishing: whole versions only, always increasing, nothing lost on failure."""

import multiprocessing
import os
import subprocess
import sys
import time

import pytest

from components.pusher.publish import PushError, digest_model, list_versions, publish


@pytest.fixture
def model(tmp_path):
    return make_model(tmp_path / "model", b"first")


def make_model(folder, content):
    (folder / "variables").mkdir(parents=True, exist_ok=True)
    (folder / "saved_model.pb").write_bytes(content)
    (folder / "variables" / "variables.index").write_bytes(b"index")
    return folder


def test_a_published_version_equals_the_model(model, tmp_path):
    version = publish(model, tmp_path / "serving", keep=3)
    assert digest_model(tmp_path / "serving" / str(version)) == digest_model(model)
    assert abs(version - time.time()) < 60
    assert list_versions(tmp_path / "serving") == [version]


def test_only_the_version_is_left_beside_the_others(model, tmp_path):
    version = publish(model, tmp_path / "serving", keep=3)
    assert os.listdir(tmp_path / "serving") == [str(version)]


def test_an_equal_model_is_not_published_again(model, tmp_path):
    first = publish(model, tmp_path / "serving", keep=3)
    assert publish(model, tmp_path / "serving", keep=3) == first
    assert list_versions(tmp_path / "serving") == [first]


def test_versions_increase_even_when_the_clock_is_behind(model, tmp_path):
    ahead = int(time.time()) + 1000
    make_model(tmp_path / "serving" / str(ahead), b"older")
    assert publish(model, tmp_path / "serving", keep=3) == ahead + 1


def test_the_oldest_versions_beyond_keep_are_removed(tmp_path):
    versions = [
        publish(make_model(tmp_path / "model", content), tmp_path / "serving", keep=2)
        for content in (b"one", b"two", b"three")
    ]
    assert list_versions(tmp_path / "serving") == versions[1:]


def test_other_folders_are_no_versions_and_stay(model, tmp_path):
    make_model(tmp_path / "serving" / "notes", b"mine")
    version = publish(model, tmp_path / "serving", keep=1)
    assert list_versions(tmp_path / "serving") == [version]
    assert (tmp_path / "serving" / "notes" / "saved_model.pb").exists()


def test_a_numbered_folder_without_a_model_is_somebodys_own_and_stays(model, tmp_path):
    (tmp_path / "serving" / "7").mkdir(parents=True)
    (tmp_path / "serving" / "7" / "digit.png").write_bytes(b"mine")
    version = publish(model, tmp_path / "serving", keep=1)
    assert list_versions(tmp_path / "serving") == [version]
    assert (tmp_path / "serving" / "7" / "digit.png").read_bytes() == b"mine"


def test_fewer_versions_are_kept_at_once_even_when_the_model_is_there_already(tmp_path):
    for content in (b"one", b"two"):
        newest = publish(make_model(tmp_path / "model", content), tmp_path / "serving", keep=2)
    assert publish(tmp_path / "model", tmp_path / "serving", keep=1) == newest
    assert list_versions(tmp_path / "serving") == [newest]


def test_a_path_that_is_a_file_is_refused_with_what_to_do(model, tmp_path):
    (tmp_path / "serving").write_text("in the way")
    with pytest.raises(PushError) as caught:
        publish(model, tmp_path / "serving", keep=1)
    assert str(caught.value) == (
        f"The model could not be pushed: [Errno 17] File exists: '{tmp_path}/serving'\n"
        f"  Where: {tmp_path}/serving\n"
        "  What was serving before still is; mend the folder and run again."
    )


def test_pushes_that_race_all_land_under_numbers_of_their_own(tmp_path):
    serving = tmp_path / "serving"
    pushes = [
        (make_model(tmp_path / f"model-{number}", b"%d" % number), serving, 100)
        for number in range(20)
    ]
    # What the workers run is found by name, so it is not a function of this file:
    # IPython, which TFX imports, puts another package named tests on the path.
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        versions = pool.starmap_async(publish, pushes, chunksize=5).get(timeout=60)
    assert len(set(versions)) == 20
    assert list_versions(serving) == sorted(versions)


def test_a_killed_push_leaves_the_old_version_alone_visible(model, tmp_path):
    serving = tmp_path / "serving"
    first = publish(model, serving, keep=3)
    large = make_model(tmp_path / "large", b"x")
    for number in range(400):
        (large / f"part-{number}").write_bytes(b"0" * 200_000)
    script = (
        "import sys; from pathlib import Path; from components.pusher.publish import publish; "
        "print('go', flush=True); publish(Path(sys.argv[1]), Path(sys.argv[2]), 3)"
    )
    pushing = subprocess.Popen(
        [sys.executable, "-c", script, str(large), str(serving)], stdout=subprocess.PIPE
    )
    pushing.stdout.readline()
    while not any(name.startswith(".staging-") for name in os.listdir(serving)):
        assert pushing.poll() is None, "the push ended before it could be killed"
    pushing.kill()
    pushing.wait()
    assert list_versions(serving) == [first]
    assert digest_model(serving / str(first)) == digest_model(model)
