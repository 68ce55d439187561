import pytest

from benchmarks.speed.__main__ import main


def complaint(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


def test_a_contender_that_does_not_exist_is_refused(capsys):
    said = complaint(capsys, "--contenders", "graft,pytorch")
    assert "no such contender: pytorch; there are graft-help, " in said


def test_pictures_need_a_backbone_and_texts_theirs(capsys):
    assert "--pictures and --backbone go together" in complaint(capsys, "--pictures", "x")
    assert "--texts and --text-backbone go together" in complaint(capsys, "--text-backbone", "x")


def test_short_commands_alone_take_seconds_and_leave_the_tables(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("benchmarks.speed.__main__._warm_up", lambda: None)
    options = ["--folder", str(tmp_path), "--contenders", "graft-help"]
    assert main(options) == 0
    said = capsys.readouterr().out
    assert said.startswith("1 runs, about 0 minutes")
    assert "| `graft --help` | ≤ 0.5 s | " in said
    assert (tmp_path / "results.md").read_text() in said
    assert main([*options, "--report-only"]) == 0
    assert main([*options, "--resume"]) == 0
    assert "0 runs, about 0 minutes" in capsys.readouterr().out
    assert main(options) == 0
    assert (tmp_path / "runs-1.jsonl").exists()
