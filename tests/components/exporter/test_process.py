"""Conversions in processes of their own: whatever happens there is one sentence here."""

import os
import sys

import pytest

from components.exporter.errors import ExportError
from components.exporter.process import MARK, run, run_module


def refusal(code, timeout=60):
    with pytest.raises(ExportError) as error:
        run([sys.executable, "-c", code], timeout, {})
    return str(error.value)


def test_a_child_gives_its_own_reason():
    code = f"print('much'); print('{MARK}there is no such op'); print('more'); raise SystemExit(1)"
    assert refusal(code) == "there is no such op"


def test_a_child_without_a_reason_is_quoted():
    assert refusal("print('a', flush=True); raise SystemExit('it broke')") == (
        "the converter failed with exit code 1; its last words: it broke"
    )
    assert refusal("raise SystemExit(3)") == (
        "the converter failed with exit code 3; its last words: nothing"
    )


def test_a_child_that_is_killed_is_told_with_its_signal():
    assert refusal("import os; os.abort()") == "the converter was ended by SIGABRT"
    assert refusal("import os; os.kill(os.getpid(), 9)") == (
        "the converter was ended by SIGKILL, as when memory runs out"
    )


def test_a_child_that_takes_too_long_is_ended(tmp_path):
    code = f"open({str(tmp_path / 'pid')!r}, 'w').write(str(__import__('os').getpid()))\n"
    code += "import time; time.sleep(60)"
    assert refusal(code, timeout=2) == "it took longer than export.timeout_seconds, 2 s"
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_module_of_ours_is_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "extra").mkdir()
    (tmp_path / "extra" / "other.py").write_text("import components.exporter.errors, sys\n")
    run_module("other", timeout=60, paths=[tmp_path / "extra"])
