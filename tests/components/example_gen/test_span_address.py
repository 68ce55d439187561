"""Spans at an address: the data, what is kept of it, and the artifacts."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.components.example_gen.address_program import take_windows
from tests.components.pusher.fake_gcs import FakeGcs

ROOT = Path(__file__).parents[3]


def check(windows):
    for number, one in enumerate(windows):
        seeds = range(20 * number, 20 * number + 40)
        assert one["sources"] == sorted(f"{n // 20}/{'ab'[n % 2]}/{n}.png" for n in seeds)
        assert one["examples"] == 40
        assert set(one["left"]) == {
            *(f"Split-{split}" for split in ("train", "eval", "test")),
            "ingest.json",
            "quarantine.jsonl",
        }
    assert [one["states"] for one in windows] == [
        {"0": "new", "1": "new"},
        {"1": "kept", "2": "new"},
    ]
    assert [one["kept"] for one in windows] == [2, 3]


def test_spans_at_an_address_are_read_once():
    check(take_windows("ram://spans-of-pictures"))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_spans_in_a_bucket_of_cloud_storage_are_read_once(tmp_path):
    store = FakeGcs(tmp_path)
    command = [sys.executable, "-m", "tests.components.example_gen.address_program"]
    done = subprocess.run(
        [*command, "gs://bucket/flowers"],
        cwd=ROOT,
        env=store.environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    store.shutdown()
    assert done.returncode == 0, done.stderr
    check(json.loads(done.stdout.splitlines()[-1]))
