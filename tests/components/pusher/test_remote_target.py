"""Pushing through TensorFlow's file system, to one that is not this machine's.

`ram://` knows no lock and no rename of folders, as buckets do not, and lives in
this process alone.
"""

import json
import shutil
import subprocess
import sys
import threading
import time
import uuid

import pytest
import tensorflow as tf

from components.pusher.errors import PushError
from components.pusher.load_check import Loaded
from components.pusher.manifest import find_damage, read_manifest
from components.pusher.publish import Delivery, Published, publish
from components.pusher.remote_target import RemoteTarget
from components.pusher.rollback import read_history, rollback
from components.pusher.target import check_address
from preprocessing.errors import ConfigError
from tests.components.pusher.conftest import PROGRAMS
from tests.components.pusher.fake_gcs import FakeGcs

gfile = tf.io.gfile


def unchecked(folder):
    return Loaded(0, 0.0)


def push(model, address, keep=3):
    return publish(Delivery(str(model)), address, keep, unchecked)


@pytest.fixture
def address():
    return f"ram://models/{uuid.uuid4().hex}"


@pytest.fixture
def model(make_model):
    return make_model(b"first")


def test_a_version_is_whole_and_has_its_manifest(model, address):
    published = push(model, address)
    version = f"{address}/{published.version}"
    manifest = read_manifest(version)
    assert abs(published.version - time.time()) < 60
    assert set(manifest.files) == {"saved_model.pb", "variables/variables.index"}
    assert find_damage(version, manifest.files) is None
    assert RemoteTarget(address).versions() == [published.version]


def test_the_model_is_written_last_and_the_manifest_before_it(model, address, monkeypatch):
    written = []
    upload = RemoteTarget._upload

    def note(self, source, target):
        written.append(target.split("/", 5)[-1])
        upload(self, source, target)

    monkeypatch.setattr(RemoteTarget, "_upload", note)
    push(model, address)
    assert written == ["variables/variables.index", "manifest.json", "saved_model.pb"]


def test_an_equal_model_is_not_pushed_again(model, address):
    first = push(model, address)
    assert push(model, address) == Published(first.version, new=False)


def test_an_equal_model_is_pushed_again_where_the_newest_version_is_damaged(model, address):
    first = push(model, address).version
    with gfile.GFile(f"{address}/{first}/variables/variables.index", "w") as file:
        file.write("onion")
    assert push(model, address).version > first


def test_versions_beyond_keep_are_removed_and_numbers_never_come_twice(make_model, address):
    versions = [push(make_model(one), address, keep=2).version for one in (b"1", b"2", b"3")]
    assert versions == sorted(set(versions))
    assert RemoteTarget(address).versions() == versions[1:]
    for one in versions[1:]:
        gfile.rmtree(f"{address}/{one}")
    assert push(make_model(b"4"), address).version > versions[-1]


def test_a_rollback_pushes_the_older_model_again(make_model, address):
    versions = [push(make_model(one), address).version for one in (b"1", b"2")]
    newest = rollback(address, check=unchecked)
    assert newest.version > versions[-1]
    assert [one.version for one in read_history(address)] == [*versions, newest.version]
    with gfile.GFile(f"{address}/{newest.version}/saved_model.pb") as file:
        assert file.read() == "1"


def test_an_upload_that_fails_leaves_the_old_version_alone(make_model, address, monkeypatch):
    first = push(make_model(b"1"), address).version
    upload = RemoteTarget._upload

    def fail_at_manifest(self, source, target):
        if target.endswith("manifest.json"):
            raise OSError("the bucket is gone")
        upload(self, source, target)

    monkeypatch.setattr(RemoteTarget, "_upload", fail_at_manifest)
    with pytest.raises(PushError) as caught:
        push(make_model(b"2"), address)
    assert str(caught.value) == (
        "The model could not be pushed: the bucket is gone\n"
        f"  Where: {address}\n"
        "  What was serving before still is; mend the folder and run again."
    )
    names = [name.rstrip("/") for name in gfile.listdir(address)]
    assert sorted(names) == [".claims", str(first)]


def test_what_a_killed_push_left_is_removed_when_nobody_can_still_be_pushing_it(
    make_model, address
):
    push(make_model(b"1"), address)
    hour = 3600
    for number, age in ((5, 25 * hour), (6, hour)):
        gfile.makedirs(f"{address}/{number}")
        with gfile.GFile(f"{address}/{number}/manifest.json", "w") as file:
            file.write("{}")
        with gfile.GFile(f"{address}/.claims/{number}-somebody", "w") as file:
            file.write(str(time.time() - age))
    push(make_model(b"2"), address)
    assert not gfile.exists(f"{address}/5")
    assert gfile.exists(f"{address}/6/manifest.json")


def test_a_numbered_folder_that_nobody_claimed_stays(make_model, address):
    gfile.makedirs(f"{address}/7")
    push(make_model(b"1"), address, keep=1)
    assert gfile.exists(f"{address}/7")


def test_pushes_that_race_have_numbers_of_their_own(make_model, address, tmp_path):
    versions = []

    def push_some(name):
        for number in range(3):
            model = make_model(f"{name} {number}".encode(), tmp_path / f"{name}-{number}")
            versions.append(push(model, address, keep=100).version)

    threads = [threading.Thread(target=push_some, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(versions)) == 12
    assert RemoteTarget(address).versions() == sorted(versions)


@pytest.fixture
def meanwhile(monkeypatch):
    """Does something once, right after the first file of the next upload."""

    def plan(happening):
        upload = RemoteTarget._upload

        def upload_and_more(self, source, target):
            monkeypatch.setattr(RemoteTarget, "_upload", upload)
            upload(self, source, target)
            happening()

        monkeypatch.setattr(RemoteTarget, "_upload", upload_and_more)

    return plan


def test_a_push_that_is_overtaken_while_it_uploads_serves_all_the_same(
    make_model, address, meanwhile, tmp_path
):
    overtaking = []
    other = make_model(b"2", tmp_path / "other")
    meanwhile(lambda: overtaking.append(push(other, address).version))
    slow = push(make_model(b"1"), address)
    assert slow.new
    assert RemoteTarget(address).versions() == [*overtaking, slow.version]
    names = [name.rstrip("/") for name in gfile.listdir(address)]
    assert sorted(names) == [".claims", str(overtaking[0]), str(slow.version)]


def test_a_push_that_is_overtaken_by_an_equal_one_is_needless(model, address, meanwhile, tmp_path):
    overtaking = []
    meanwhile(lambda: overtaking.append(push(model, address).version))
    assert push(model, address) == Published(overtaking[0], new=False)
    assert RemoteTarget(address).versions() == overtaking


def test_a_rollback_that_is_overtaken_while_it_uploads_is_none(
    make_model, address, meanwhile, tmp_path
):
    for content in (b"1", b"2"):
        push(make_model(content), address)
    other = make_model(b"3", tmp_path / "other")
    meanwhile(lambda: push(other, address))
    with pytest.raises(PushError, match="Another version was pushed meanwhile"):
        rollback(address, check=unchecked)
    newest = RemoteTarget(address).versions()[-1]
    with gfile.GFile(f"{address}/{newest}/saved_model.pb") as file:
        assert file.read() == "3"


def test_files_of_others_among_the_claims_stay_and_stop_nothing(make_model, address):
    push(make_model(b"1"), address)
    foreign = {"notes.txt": "mine", "5-somebody": "yesterday", "6-": "", "-7": "", "x-y": ""}
    for name, text in foreign.items():
        with gfile.GFile(f"{address}/.claims/{name}", "w") as file:
            file.write(text)
    newest = push(make_model(b"2"), address)
    assert RemoteTarget(address).versions()[-1] == newest.version
    assert set(foreign) < set(gfile.listdir(f"{address}/.claims"))


def test_an_address_that_tensorflow_does_not_know_is_refused_before_a_run():
    with pytest.raises(ConfigError) as caught:
        check_address("gopher://models/flowers")
    message = str(caught.value)
    assert message.startswith(
        "push.path: TensorFlow has no file system for this address\n"
        "  Received: 'gopher://models/flowers'\n"
        "  Valid: "
    )
    assert "gs://" in message
    check_address("gs://models/flowers")
    check_address("/srv/models/flowers")


def test_a_manifest_at_an_address_is_plain_json(model, address):
    version = push(model, address).version
    with gfile.GFile(f"{address}/{version}/manifest.json") as file:
        assert json.load(file)["version"] == version


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_a_bucket_of_cloud_storage_is_pushed_to_by_tensorflows_own_client(model, tmp_path):
    store = FakeGcs(tmp_path)
    command = [sys.executable, str(PROGRAMS), "push_to_bucket", str(model), "gs://models/flowers"]
    done = subprocess.run(
        command, env=store.environment, capture_output=True, text=True, timeout=600
    )
    store.shutdown()
    assert done.returncode == 0, done.stderr
    one, two, again, back = map(int, done.stdout.split())
    assert one < two == again < back
    files = ["variables/variables.index", "manifest.json", "saved_model.pb"]
    written = [name for name in store.written if not name.endswith("/") and ".claims" not in name]
    assert written == [f"flowers/{number}/{name}" for number in (one, two, back) for name in files]
    assert store.objects[f"flowers/{back}/saved_model.pb"] == b"one"
    manifest = json.loads(store.objects[f"flowers/{back}/manifest.json"])
    assert manifest["rolled_back"] == {"from_version": two, "to_version": one}
