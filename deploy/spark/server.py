"""Spark on this machine: `python -m deploy.spark.server start|stop|status`.

Beam's job server with Spark inside, on loopback.
"""

import argparse

from deploy import job_server, processes

# No page for people, which would listen elsewhere than on loopback.
SETTINGS = (
    *("-Dspark.ui.enabled=false", "-Dspark.driver.bindAddress=127.0.0.1"),
    "-Dspark.driver.host=localhost",
)


def main() -> None:
    """Does what the command line says."""
    parser = job_server.make_parser(__doc__ or "", "spark", 8098)
    parser.add_argument("--master", default="local[2,4]", help="2 at a time, 4 attempts")
    job_server.main(parser, start)


def start(options: argparse.Namespace) -> str:
    """Brings the job server up; see `job_server.main`."""
    processes.check_free({"--job-port": options.job_port})
    driver = "org.apache.beam.runners.spark.SparkJobServerDriver"
    master = ("--spark-master-url", options.master)
    command = job_server.java(options.jars, 1024, driver, *master, settings=SETTINGS)
    job_server.start_job_server(options, command, job_server.on_loopback(options.folder))
    return ""


if __name__ == "__main__":
    main()
