"""A Flink cluster on this machine: `python -m deploy.flink.cluster start|stop|status`.

One JobManager, two TaskManagers, Beam's job server and a pool of Python workers,
all on loopback; or, with --local, a job server that has its cluster inside.
"""

import argparse
import functools
import json
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from deploy import job_server, processes

# What a TaskManager must be told that is not started by Flink's own scripts.
MEMORY = {
    "taskmanager.cpu.cores": "1.0",
    "taskmanager.memory.framework.heap.size": "128m",
    "taskmanager.memory.framework.off-heap.size": "128m",
    "taskmanager.memory.task.heap.size": "384m",
    "taskmanager.memory.task.off-heap.size": "0m",
    "taskmanager.memory.managed.size": "128m",
    # StatisticsGen has dozens of exchanges; with 256m and 512 buffers each it has not enough.
    "taskmanager.memory.network.min": "384m",
    "taskmanager.memory.network.max": "384m",
    "taskmanager.network.sort-shuffle.min-buffers": "64",
    "taskmanager.memory.jvm-metaspace.size": "256m",
    "taskmanager.memory.jvm-overhead.min": "192m",
    "taskmanager.memory.jvm-overhead.max": "192m",
}


def main() -> None:
    """Does what the command line says."""
    parser = job_server.make_parser(__doc__ or "", "flink", 8099)
    parser.add_argument("--local", action="store_true", help="a job server alone")
    parser.add_argument("--task-managers", type=int, default=2)
    parser.add_argument("--slots", type=int, default=2, help="of each TaskManager")
    parser.add_argument("--rest-port", type=int, default=8081)
    parser.add_argument("--rpc-port", type=int, default=6123)
    parser.add_argument("--pool-port", type=int, default=50000)
    job_server.main(parser, start)


def start(options: argparse.Namespace) -> str:
    """Brings everything up; see `job_server.main`."""
    folder, jars = options.folder, options.jars
    ports = {"--job-port": options.job_port}
    if not options.local:
        ports |= {"--rest-port": options.rest_port, "--rpc-port": options.rpc_port}
        ports |= {"--pool-port": options.pool_port}
    processes.check_free(ports)
    env = job_server.on_loopback(folder)
    master, conf = "[local]", write_conf(options)
    if not options.local:
        start_cluster(options, conf, env)
        master = f"localhost:{options.rest_port}"
    driver = "org.apache.beam.runners.flink.FlinkJobServerDriver"
    where = ("--flink-master", master, "--flink-conf-dir", str(conf))
    job_server.start_job_server(options, job_server.java(jars, 1024, driver, *where), env)
    if options.local:
        return ""
    workers = f'{{kind: external, address: "localhost:{options.pool_port}"}}'
    return f"  workers: {workers}\n  parallelism: {options.task_managers}\n"


def start_cluster(options: argparse.Namespace, conf: Path, env: Mapping[str, str]) -> None:
    """Brings up JobManager, TaskManagers, which must have joined it, and the pool of workers."""
    folder, jars, rest = options.folder, options.jars, options.rest_port
    entry = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
    manager = job_server.java(jars, 512, entry, "-c", str(conf))
    processes.start(folder, "job-manager", manager, env)
    processes.wait_for_port(folder, "job-manager", rest)
    for number in range(1, options.task_managers + 1):
        start_task_manager(folder, jars, number)
        joined = functools.partial(has_task_managers, rest, number)
        processes.wait_until(folder, f"task-manager-{number}", joined, "joins no JobManager")
    pool = [sys.executable, "-m", "deploy.worker_pool", str(options.pool_port)]
    processes.start(folder, "worker-pool", pool, {"PYTHONPATH": str(job_server.ROOT)})
    processes.wait_for_port(folder, "worker-pool", options.pool_port)


def has_task_managers(port: int, count: int) -> bool:
    """Asks the JobManager whether it has so many."""
    # Whatever proxy there may be for elsewhere.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://localhost:{port}/overview", timeout=10) as answer:
        return json.load(answer)["taskmanagers"] >= count


def start_task_manager(folder: Path, jars: Path, number: int) -> int:
    """Starts one more.

    Args:
        folder: Of the cluster.
        jars: Folder of the jars.
        number: Its own; one of that number that runs is left alone.

    Returns:
        Its pid.
    """
    runner = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
    command = job_server.java(jars, 768, runner, "-c", str(folder / "conf"))
    env = job_server.on_loopback(folder)
    return processes.start(folder, f"task-manager-{number}", command, env)


def write_conf(options: argparse.Namespace) -> Path:
    """Writes flink-conf.yaml; returns its folder."""
    folder = options.folder / "conf"
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "jobmanager.rpc.address": "localhost",
        "jobmanager.rpc.port": options.rpc_port,
        "jobmanager.bind-host": "localhost",
        "jobmanager.memory.process.size": "1g",
        "rest.address": "localhost",
        "rest.bind-address": "localhost",
        "rest.port": options.rest_port,
        "rest.bind-port": options.rest_port,
        "taskmanager.host": "localhost",
        "taskmanager.bind-host": "localhost",
        "taskmanager.numberOfTaskSlots": options.slots,
        "io.tmp.dirs": options.folder / "tmp",
        # A process that ended is missed at the next beat; one that is slow is not lost.
        "heartbeat.interval": 3000,
        "heartbeat.timeout": 600000,
        "web.submit.enable": "false",
        # Beam's own option for it is for streams alone.
        "restart-strategy.type": "fixed-delay",
        "restart-strategy.fixed-delay.attempts": 3,
        "restart-strategy.fixed-delay.delay": "1 s",
        **MEMORY,
    }
    text = "".join(f"{key}: {value}\n" for key, value in settings.items())
    (folder / "flink-conf.yaml").write_text(text)
    (options.folder / "tmp").mkdir(exist_ok=True)
    return folder


if __name__ == "__main__":
    main()
