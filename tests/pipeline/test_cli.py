"""What `graft` answers, on which stream, with which exit code, and how fast."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

import pipeline
from pipeline.cli import main
from pipeline.json_schema import json_schema_text
from pipeline.summary import Summary
from preprocessing.errors import DataError, QuarantineError

CONFIG = """\
name: flowers
data:
  source: {kind: image_folder, path: .}
features:
  image: {kind: image, backbone: "hub:small"}
"""
SUMMARY = Summary.model_validate(
    {
        "run_id": "r",
        "name": "flowers",
        "config_digest": "sha256:0",
        "stack": {},
        "seconds": 1,
        "components": [],
        "examples": {"train": 2},
        "blessed": True,
        "reasons": [],
        "log": "run.log",
    }
)
GRAFT = "import sys; from pipeline.cli import main; sys.exit(main())"


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "flowers.yaml").write_text(CONFIG)
    return str(tmp_path / "flowers.yaml")


LOADED = re.compile(r"Loading TFX: finished after \d\.\d s")


@pytest.fixture
def runner(monkeypatch):
    """Puts a runner in place of TFX, which takes half a minute to import."""

    def put(run):
        module = ModuleType("pipeline.local")
        module.run = run
        monkeypatch.setitem(sys.modules, "pipeline.local", module)
        monkeypatch.setattr(pipeline, "local", module, raising=False)

    return put


def graft(*arguments, code=GRAFT, **environment):
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=120,
    )


def with_runner(source: str) -> str:
    """The program `graft` with `source`, which defines `run`, in place of TFX."""
    return (
        f"import sys, types, pipeline; local = types.ModuleType('pipeline.local')\n"
        f"exec({source!r}, vars(local)); sys.modules['pipeline.local'] = pipeline.local = local\n"
        f"{GRAFT}"
    )


def test_without_arguments_it_shows_its_help(capsys):
    assert main([]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Usage: graft [OPTIONS] [COMMAND]")
    assert err == ""


COMMANDS = ("run", "demo", "doctor", "cache", "scout", "runs", "backbones", "schema")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_help_and_has_its_own(capsys, command):
    assert main(["--help"]) == 0
    assert f"\n  {command} " in capsys.readouterr().out
    assert main([command, "--help"]) == 0
    assert f"Usage: graft {command}" in capsys.readouterr().out


def test_it_knows_its_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("graft 0.")


USAGE = {
    ("rn",): (
        "graft: graft has no such command\n"
        "  Received: 'rn'\n"
        "  Valid: backbones, cache, compile, demo, doctor, predict, rollback, run, runs, schema, "
        "scout, serve, submit\n"
        "  Did you mean 'run'?\n"
        "  See: graft --help\n"
    ),
    ("run", "a.yaml", "--no-cash"): (
        "graft: graft run has no such option\n"
        "  Received: '--no-cash'\n"
        "  Valid: --set, --span, --no-cache, --rebaseline, --resume, --json, --help\n"
        "  Did you mean '--no-cache'?\n"
        "  See: graft run --help\n"
    ),
    ("run",): "graft: Missing argument 'CONFIG'.\n  See: graft run --help\n",
    ("run", "a.yaml", "b.yaml"): (
        "graft: Got unexpected extra argument (b.yaml)\n  See: graft run --help\n"
    ),
    ("run", "/no/such.yaml"): (
        "graft: There is no such config file\n  Received: '/no/such.yaml'\n"
    ),
    ("demo", "--workdir", "/dev/null/demo"): (
        "graft: The working folder cannot be made: Not a directory\n  Received: '/dev/null/demo'\n"
    ),
    ("schema", "-o", "/dev/null/schema"): (
        "graft: The schema cannot be written: Not a directory\n  Received: '/dev/null/schema'\n"
    ),
}


@pytest.mark.parametrize(
    ("arguments", "message"), USAGE.items(), ids=[" ".join(words) for words in USAGE]
)
def test_wrong_usage_is_explained_on_standard_error_with_code_2(capsys, arguments, message):
    assert main(arguments) == 2
    assert capsys.readouterr() == ("", message)


def test_a_mistake_in_the_config_is_explained_with_code_2(capsys, config):
    assert main(["run", config, "--set", "train.epoch=3"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("graft: --set train.epoch=3: train.epoch is not a known key\n")
    assert "Did you mean 'epochs'?" in err


def test_another_keras_is_refused_before_tensorflow_is_imported(config):
    done = graft("run", config, TF_USE_LEGACY_KERAS="0")
    assert done.returncode == 2
    assert "  Received: TF_USE_LEGACY_KERAS=0\n" in done.stderr
    assert "Traceback" not in done.stderr


def test_tensorflow_gets_the_right_keras_where_nobody_chose_one():
    code = GRAFT.replace(
        "sys.exit(main())", "main(); import os; print(os.environ['TF_USE_LEGACY_KERAS'])"
    )
    environment = {key: value for key, value in os.environ.items() if key != "TF_USE_LEGACY_KERAS"}
    done = subprocess.run(
        [sys.executable, "-c", code, "backbones"], capture_output=True, text=True, env=environment
    )
    assert done.stdout.endswith("\n1\n")


def test_the_schema_is_printed_or_written(capsys, tmp_path):
    assert main(["schema"]) == 0
    assert capsys.readouterr().out == json_schema_text()
    assert main(["schema", "-o", str(tmp_path / "schema.json")]) == 0
    assert (tmp_path / "schema.json").read_text(encoding="utf-8") == json_schema_text()


def test_backbones_are_listed_for_people_and_for_machines(capsys):
    assert main(["backbones"]) == 0
    assert "keras:MobileNetV2" in capsys.readouterr().out
    assert main(["backbones", "--json"]) == 0
    kinds = json.loads(capsys.readouterr().out)
    assert {kind["kind"] for kind in kinds} == {"hub", "keras", "hf"}
    assert all(kind["examples"] for kind in kinds)


@pytest.mark.parametrize(
    ("blessed", "code", "verdict"), [(True, 0, "blessed"), (False, 3, "not blessed, not pushed")]
)
def test_a_run_ends_with_a_summary_and_the_code_of_its_verdict(
    capsys, config, runner, blessed, code, verdict
):
    runner(lambda config, **_: SUMMARY.model_copy(update={"blessed": blessed}))
    assert main(["run", config]) == code
    assert f"flowers, run r: {verdict}\n" in capsys.readouterr().out


def test_json_is_all_that_is_on_standard_output(config):
    done = graft(
        "run",
        config,
        "--json",
        code=with_runner("""
import os
from pathlib import Path
from pipeline.summary import Summary
from preprocessing.progress import stage
def run(config, **_):
    print("noise")
    os.write(1, b"noise from C")
    stage("Trainer", "started")
    return Summary.model_validate_json(os.environ["SUMMARY"])
"""),
        SUMMARY=SUMMARY.model_dump_json(),
    )
    assert Summary.model_validate_json(done.stdout) == SUMMARY
    lines = done.stderr.splitlines()
    assert LOADED.fullmatch(lines.pop(1))
    assert lines == [
        "Loading TFX: started",
        "Trainer: started",
    ]


def test_the_runner_gets_the_config_the_cache_and_the_log(config, runner):
    seen = {}

    def run(config, **keywords):
        seen.update(keywords, epochs=config.train.epochs)
        return SUMMARY

    runner(run)
    assert main(["run", config, "--set", "train.epochs=2", "--no-cache"]) == 0
    log = Path(config).parent / ".graft" / "logs" / f"{seen['run_id']}.log"
    told = {"run_id": seen["run_id"], "log": log, "past": None, "alone": True, "epochs": 2}
    assert seen == {"cache": False, "rebaseline": False, **told}
    assert main(["run", config, "--rebaseline"]) == 0
    assert (seen["cache"], seen["rebaseline"]) == (True, True)
    assert log.exists()


@pytest.mark.parametrize(("error", "code"), [(QuarantineError, 1), (DataError, 2)])
def test_a_failure_of_ours_is_a_message_with_the_log_and_its_own_code(
    capsys, config, runner, error, code
):
    def run(config, **_):
        raise error("12 of 20 examples could not be read")

    runner(run)
    assert main(["run", config]) == code
    message, log, *_ = [line for line in capsys.readouterr().err.splitlines() if "TFX" not in line]
    assert message == "graft: 12 of 20 examples could not be read"
    assert Path(log.removeprefix("  Log: ")).exists()


def test_a_defect_is_one_line_and_a_log_with_the_traceback(capsys, config, runner):
    def run(config, **_):
        raise ValueError("one\ntwo")

    runner(run)
    assert main(["run", config]) == 1
    message, log = [line for line in capsys.readouterr().err.splitlines() if "TFX" not in line]
    assert message == "graft: this is a defect, not a mistake of yours: ValueError: one"
    text = Path(log.removeprefix("  Log with the traceback: ")).read_text()
    assert "Traceback (most recent call last)" in text
    assert "two" in text


def test_a_defect_outside_a_run_leaves_its_traceback_too(capsys, monkeypatch):
    monkeypatch.setattr("pipeline.json_schema.json_schema_text", lambda: 1 / 0)
    assert main(["schema"]) == 1
    message, log = capsys.readouterr().err.splitlines()
    assert message.endswith("ZeroDivisionError: division by zero")
    path = Path(log.removeprefix("  Log with the traceback: "))
    assert "Traceback" in path.read_text()
    path.unlink()


def test_ctrl_c_ends_a_run_with_one_line_and_code_130(config):
    code = with_runner("import time\nrun = lambda config, **_: time.sleep(60)\n")
    with subprocess.Popen(
        [sys.executable, "-c", code, "run", config],
        stderr=subprocess.PIPE,
        text=True,
        # A shell that runs the tests in the background has them ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        assert process.stderr.readline() == "Loading TFX: started\n"
        assert LOADED.fullmatch(process.stderr.readline().strip())
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=90) == 130
        message, log = process.stderr.read().splitlines()
    assert message == "graft: stopped; what is finished is kept"
    assert log.startswith("  Log: ")


def test_a_reader_that_has_seen_enough_is_no_defect():
    done = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -c "{GRAFT}" schema | head -1'],
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("{\n", "")


HEAVY = ("tensorflow", "tfx", "apache_beam", "tf_keras", "keras", "numpy", "google.protobuf")


@pytest.mark.parametrize("arguments", [["--help"], ["backbones"], ["schema"], ["run", "none.yaml"]])
def test_an_answer_needs_no_heavy_import(arguments):
    code = f"import sys; from pipeline.cli import main; main({arguments}); print(*sys.modules)"
    loaded = graft(code=code).stdout.splitlines()[-1].split()
    assert not [name for name in HEAVY if name in loaded]


def cpu_seconds(*command) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *command], capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize(
    ("arguments", "libraries", "times"),
    [(["--help"], "click", 2), (["run", "none.yaml"], "click, pydantic.json_schema, yaml", 4)],
)
def test_an_answer_costs_little_more_than_the_libraries_it_needs(arguments, libraries, times):
    # CPU time against CPU time, so that a busy or slow machine changes nothing.
    floor = min(cpu_seconds("-c", f"import {libraries}") for _ in range(5))
    ours = min(cpu_seconds("-c", GRAFT, *arguments) for _ in range(5))
    assert ours <= times * floor


def test_resume_and_no_cache_exclude_each_other(config, capsys):
    assert main(["run", config, "--resume", "--no-cache"]) == 2
    assert capsys.readouterr().err == (
        "graft: --resume takes over what is finished, and --no-cache does everything again\n"
        "  Received: '--resume --no-cache'\n"
        "  Valid: --resume, --no-cache\n"
        "  Did you mean '--no-cache'?\n"
    )


def test_a_run_that_failed_can_be_resumed_and_one_that_went_through_cannot(
    config, runner, capsys, tmp_path
):
    assert main(["run", config, "--resume"]) == 2
    assert "was begun in this working folder" in capsys.readouterr().err
    given = []

    def fail(config, *, past, **options):
        given.append(past)
        raise DataError("No pictures.")

    runner(fail)
    assert main(["run", config]) == 2
    assert main(["run", config, "--resume"]) == 2
    assert [past and past.begun.resumed for past in given] == [None, None]
    (begun,) = (tmp_path / ".graft" / "runs").glob(f"{given[1].begun.run_id}/begun.json")
    assert json.loads(begun.read_text())["pid"] == os.getpid()
