"""Processes that tests of the Pusher start and kill: `python programs.py NAME ARGUMENTS`.

They import no TensorFlow but where they load a model, so that they start at once.
"""

import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from components.pusher.load_check import Loaded, check_loads
from components.pusher.local_target import list_versions
from components.pusher.manifest import find_damage, read_manifest
from components.pusher.publish import Delivery, publish

# What Python tells of before it does it, wherever names or files are touched.
_TOUCHES = {
    "fcntl.flock",
    "open",
    "os.listdir",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.scandir",
    "shutil.rmtree",
}


def say(text):
    """Writes a line for the test to read."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def unchecked(folder):
    """For models of a few bytes, which nobody loads."""
    return Loaded(0, 0.0)


def push(model, serving, keep, checked=""):
    """Says `go`, pushes, and says the version."""
    say("go")
    check = check_loads if checked else unchecked
    say(publish(Delivery(model), serving, int(keep), check).version)


def push_many(serving, keep, count):
    """Pushes models of its own, one after the other; says their versions."""
    model = Path(serving).with_name(f"model-{os.getpid()}")
    model.mkdir()
    say("go")
    sys.stdin.readline()
    for number in range(int(count)):
        (model / "saved_model.pb").write_text(f"{os.getpid()} {number}")
        say(publish(Delivery(str(model)), serving, int(keep), unchecked).version)


def push_limited(model, serving, bytes_at_most):
    """Pushes where no file may grow beyond a size, and says how that ended."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(bytes_at_most), int(bytes_at_most)))
    _push_and_explain(model, serving)


def push_as_nobody(folder):
    """Pushes `model` of a folder to `serving` there, without rights, and says how that ended."""
    os.chdir(folder)
    if os.getuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    _push_and_explain("model", "serving")


def push_to_bucket(model, address):
    """Pushes two models, the second one twice, and rolls back; says the versions."""
    from components.pusher.rollback import rollback

    for content in ("one", "two", "two"):
        (Path(model) / "saved_model.pb").write_text(content)
        say(publish(Delivery(model), address, 2, unchecked).version)
    say(rollback(address, None, unchecked).version)


def _push_and_explain(model, serving):
    try:
        say(publish(Delivery(model), serving, 3, unchecked).version)
    except Exception as error:
        say(f"{type(error).__name__}: {error}")


def push_killed_everywhere(serving):
    """Kills a push before each of its touches in turn; says what each left behind.

    One JSON object a line: the kill's place, and the versions before and after,
    those after with what is wrong with each.
    """
    model = Path(serving).with_name("model")
    model.mkdir(exist_ok=True)
    step, killed = 0, True
    while killed:
        (model / "saved_model.pb").write_text(str(step))
        before = list_versions(Path(serving))
        killed = _push_killed(str(model), serving, step)
        after = {one: _damage(f"{serving}/{one}") for one in list_versions(Path(serving))}
        hidden = sorted(name for name in os.listdir(serving) if name.startswith("."))
        say(json.dumps([step, killed, before, after, hidden]))
        step += 1


def _push_killed(model, serving, step):
    child = os.fork()
    if child:
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    touches = 0

    def kill_at_step(event, arguments):
        nonlocal touches
        if event in _TOUCHES:
            if touches == step:
                os.kill(os.getpid(), signal.SIGKILL)
            touches += 1

    sys.addaudithook(kill_at_step)
    publish(Delivery(model), serving, 2, unchecked)
    os._exit(0)


def _damage(version):
    manifest = read_manifest(version)
    return "no manifest" if manifest is None else find_damage(version, manifest.files)


def read_newest(serving, stop, reads):
    """Loads the newest version and asks it, again and again, until the file `stop` is there.

    Writes into the file `reads`, one JSON list a line, the version, the answer to
    a red picture, what was wrong, and the seconds that it took.
    """
    import tensorflow as tf

    red = tf.io.encode_png(tf.broadcast_to(tf.constant([255, 0, 0], tf.uint8), [5, 7, 3]))
    while not os.path.exists(stop):
        newest = list_versions(Path(serving))[-1]
        started = time.monotonic()
        try:
            damage = _damage(f"{serving}/{newest}")
            model = tf.saved_model.load(f"{serving}/{newest}")
            answer = model.signatures["serving_default"](image=tf.reshape(red, [1]))
            said = answer["label"].numpy().astype(str).tolist()
        except Exception:
            damage, said = traceback.format_exc(), None
        seconds = round(time.monotonic() - started, 3)
        with open(reads, "a", encoding="utf-8") as file:
            file.write(json.dumps([newest, said, damage, seconds]) + "\n")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
