"""What Flink and Spark on this machine have in common: a command line, jars, Beam's job server.

`flink/cluster.py` and `spark/server.py` say what is each one's own. Standard library only.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from deploy import processes

ROOT = Path(__file__).resolve().parents[1]
NAME = "job-server"
# Flink's serializers and Spark look into these on Java 17.
_OPENED = (
    *("java.io", "java.lang", "java.lang.invoke", "java.net", "java.nio", "java.time"),
    *("java.util", "java.util.concurrent", "sun.nio.ch", "sun.security.action"),
)


def make_parser(description: str, engine: str, port: int) -> argparse.ArgumentParser:
    """Makes a command line; a script adds what is its own.

    Args:
        description: What the script brings up.
        engine: `beam.kind`.
        port: Of the job server, where no other is given.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.set_defaults(engine=engine)
    parser.add_argument("action", choices=("start", "stop", "status"))
    parser.add_argument("--folder", type=_absolute, default=ROOT / f".{engine}")
    parser.add_argument("--jars", type=_absolute, help="FOLDER/jars where not given")
    parser.add_argument("--job-port", type=int, default=port)
    return parser


def main(parser: argparse.ArgumentParser, start: Callable[[argparse.Namespace], str]) -> None:
    """Does what the command line says.

    Args:
        parser: See `make_parser`.
        start: Brings everything up, the job server last; returns what the `beam:` section
            says beside kind and job_endpoint.
    """
    options = parser.parse_args()
    folder = options.folder
    options.jars = options.jars or folder / "jars"
    section = folder / "beam.yaml"
    if options.action == "stop":
        processes.say(f"stopped: {', '.join(processes.stop_all(folder)) or 'nothing'}")
    elif options.action == "status":
        processes.show(folder)
    elif processes.pid_of(folder, NAME):
        processes.say("up already; to start it otherwise, stop it first")
        sys.stdout.write(section.read_text())
    else:
        left = processes.stop_all(folder)
        if left:
            # Of a start that came to no end, or without its job server.
            processes.say(f"stopped what was left: {', '.join(left)}")
        fetch_jars(ROOT / "deploy" / options.engine / "pom.xml", options.jars)
        server = f"beam:\n  kind: {options.engine}\n  job_endpoint: localhost:{options.job_port}\n"
        text = server + start(options)
        section.write_text(text)
        sys.stdout.write(text)


def start_job_server(
    options: argparse.Namespace, command: Sequence[str], env: Mapping[str, str]
) -> None:
    """Starts Beam's job server and waits until it listens.

    Args:
        options: The command line's.
        command: Starts the engine's driver; see `java`.
        env: See `on_loopback`.
    """
    port = str(options.job_port)
    said = ("--job-host", "localhost", "--job-port", port, "--artifact-port", "0")
    kept = ("--expansion-port", "-1", "--artifacts-dir", str(options.folder / "artifacts"))
    processes.start(options.folder, NAME, [*command, *said, *kept], env)
    processes.wait_for_port(options.folder, NAME, options.job_port)


def java(
    jars: Path, megabytes: int, entry: str, *arguments: str, settings: Sequence[str] = ()
) -> list[str]:
    """Makes a command line.

    Args:
        jars: Folder of the jars.
        megabytes: Of heap.
        entry: The main class.
        *arguments: For it.
        settings: Java's own.
    """
    opened = [f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in _OPENED]
    # The service addresses are names; IPv6's loopback may not be there.
    first = ["java", f"-Xmx{megabytes}m", "-Djava.net.preferIPv4Stack=true", *opened, *settings]
    return [*first, "-cp", f"{jars}/*", entry, *arguments]


def fetch_jars(pom: Path, target: Path) -> None:
    """Fetches what a pom names from Maven Central, once.

    Args:
        pom: The pom.xml.
        target: Folder for the jars; one that this has not filled is left alone.
    """
    for tool in ("java", "mvn"):
        if shutil.which(tool) is None:
            processes.fail(
                f"{tool} is not on PATH; on Debian: apt-get install openjdk-17-jdk-headless maven"
            )
    done = target / ".fetched"
    if done.is_file() and done.read_text() == pom.read_text():
        return
    if not done.is_file() and target.is_dir() and any(target.iterdir()):
        processes.fail(f"{target} holds something else; empty it, or choose another by --jars")
    processes.say(f"fetching jars into {target}: about a minute")
    begun = target.with_name(f"{target.name}.unfinished")
    shutil.rmtree(begun, ignore_errors=True)
    goal = "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies"
    command = ["mvn", "-B", "-q", "-f", str(pom), goal, f"-DoutputDirectory={begun}"]
    fetched = subprocess.run(command, capture_output=True, text=True, check=False)
    if fetched.returncode:
        processes.fail(f"the jars cannot be fetched:\n{fetched.stdout[-2000:]}")
    (begun / ".fetched").write_text(pom.read_text())
    shutil.rmtree(target, ignore_errors=True)
    begun.rename(target)


def on_loopback(folder: Path) -> dict[str, str]:
    """Gives the environment in which a process listens on loopback alone; see loopback.c.

    Args:
        folder: Where the compiled library is kept.
    """
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "g++", "c++"))), None)
    if compiler is None:
        processes.fail("no C compiler is on PATH; on Debian: apt-get install g++")
    library = folder / "loopback.so"
    if " " in str(library) or ":" in str(library):
        # LD_PRELOAD would take it for several, find none, and say so in a log alone.
        what = "may hold neither a space nor a colon; choose another folder by --folder"
        processes.fail(f"{folder} {what}")
    folder.mkdir(parents=True, exist_ok=True)
    source = Path(__file__).with_name("loopback.c")
    options = ["-shared", "-fPIC", "-O1", "-x", "c", str(source), "-o", str(library), "-ldl"]
    compiled = subprocess.run([compiler, *options], capture_output=True, text=True, check=False)
    if compiled.returncode:
        processes.fail(f"loopback.c does not compile:\n{compiled.stderr[-2000:]}")
    return {"LD_PRELOAD": str(library)}


def _absolute(path: str) -> Path:
    return Path(path).expanduser().absolute()
