"""Spark on this machine: `python -m deploy.spark.server start|stop|status`.

Beam's job server with Spark inside, on loopback.
"""

import argparse
import sys
from pathlib import Path

from deploy import processes

HERE = Path(__file__).resolve().parent
# Spark looks into these on Java 17.
OPENED = (
    *("java.lang", "java.lang.invoke", "java.net", "java.nio", "java.util"),
    *("java.util.concurrent", "sun.nio.ch", "sun.security.action"),
)


def main() -> None:
    """Does what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=("start", "stop", "status"))
    parser.add_argument("--folder", type=Path, default=processes.ROOT / ".spark")
    parser.add_argument("--job-port", type=int, default=8098)
    parser.add_argument("--master", default="local[2,4]", help="2 at a time, 4 attempts")
    parser.add_argument("--jars", type=Path, help="FOLDER/jars where not given")
    options = parser.parse_args()
    if options.action == "stop":
        processes.say(f"stopped: {', '.join(processes.stop_all(options.folder)) or 'nothing'}")
    elif options.action == "status":
        processes.show(options.folder)
    else:
        start(options)


def start(options: argparse.Namespace) -> None:
    """Brings the job server up, and says how to use it."""
    folder, jars = options.folder, options.jars or options.folder / "jars"
    if processes.pid_of(folder, "job-server"):
        processes.say(f"up already, on port {options.job_port} unless it was given another")
        return
    processes.fetch_jars(HERE / "pom.xml", jars)
    processes.check_free({"--job-port": options.job_port})
    opened = [f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in OPENED]
    # No page for people, which would listen elsewhere than on loopback.
    settings = ["-Dspark.ui.enabled=false", "-Dspark.driver.bindAddress=127.0.0.1"]
    settings += ["-Dspark.driver.host=localhost", "-Djava.net.preferIPv4Stack=true"]
    command = ["java", "-Xmx1g", *opened, *settings, "-cp", f"{jars}/*"]
    command += ["org.apache.beam.runners.spark.SparkJobServerDriver"]
    command += ["--spark-master-url", options.master, "--job-host", "localhost"]
    command += ["--job-port", str(options.job_port), "--artifact-port", "0"]
    command += ["--expansion-port", "-1", "--artifacts-dir", str(folder / "artifacts")]
    processes.start(folder, "job-server", command, processes.on_loopback(folder))
    processes.wait_for_port(folder, "job-server", options.job_port)
    sys.stdout.write(f"beam:\n  kind: spark\n  job_endpoint: localhost:{options.job_port}\n")


if __name__ == "__main__":
    main()
