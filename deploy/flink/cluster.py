"""A Flink cluster on this machine: `python -m deploy.flink.cluster start|stop|status`.

One JobManager, two TaskManagers, Beam's job server and a pool of Python workers,
all on loopback; or, with --local, a job server that has its cluster inside.
"""

import argparse
import sys
from pathlib import Path

from deploy import processes

HERE = Path(__file__).resolve().parent
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
# Flink's serializers look into these on Java 17.
OPENED = ("java.lang", "java.util", "java.util.concurrent", "java.time", "java.net", "java.io")


def main() -> None:
    """Does what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=("start", "stop", "status"))
    parser.add_argument("--folder", type=Path, default=processes.ROOT / ".flink")
    parser.add_argument("--local", action="store_true", help="a job server alone")
    parser.add_argument("--task-managers", type=int, default=2)
    parser.add_argument("--slots", type=int, default=2, help="of each TaskManager")
    parser.add_argument("--job-port", type=int, default=8099)
    parser.add_argument("--rest-port", type=int, default=8081)
    parser.add_argument("--rpc-port", type=int, default=6123)
    parser.add_argument("--pool-port", type=int, default=50000)
    parser.add_argument("--jars", type=Path, help="FOLDER/jars where not given")
    options = parser.parse_args()
    if options.action == "stop":
        processes.say(f"stopped: {', '.join(processes.stop_all(options.folder)) or 'nothing'}")
    elif options.action == "status":
        processes.show(options.folder)
    else:
        start(options)


def start(options: argparse.Namespace) -> None:
    """Brings everything up that is not up yet, and says how to use it."""
    folder, jars = options.folder, options.jars or options.folder / "jars"
    if processes.pid_of(folder, "job-server"):
        processes.say(f"up already, on port {options.job_port} unless it was given another")
        return
    processes.fetch_jars(HERE / "pom.xml", jars)
    ports = {"--job-port": options.job_port}
    if not options.local:
        ports |= {"--rest-port": options.rest_port, "--rpc-port": options.rpc_port}
        ports |= {"--pool-port": options.pool_port}
    processes.check_free(ports)
    env = processes.on_loopback(folder)
    master, conf = "[local]", write_conf(options)
    if not options.local:
        entry = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
        processes.start(folder, "job-manager", java(jars, 512, entry, "-c", str(conf)), env)
        processes.wait_for_port(folder, "job-manager", options.rest_port)
        for number in range(1, options.task_managers + 1):
            start_task_manager(folder, jars, number)
        pool = [sys.executable, "-m", "deploy.worker_pool", str(options.pool_port)]
        path = {"PYTHONPATH": str(processes.ROOT)}
        processes.start(folder, "worker-pool", pool, path)
        processes.wait_for_port(folder, "worker-pool", options.pool_port)
        master = f"localhost:{options.rest_port}"
    server = java(
        jars,
        1024,
        "org.apache.beam.runners.flink.FlinkJobServerDriver",
        *("--flink-master", master, "--job-host", "localhost"),
        *("--job-port", str(options.job_port), "--artifact-port", "0", "--expansion-port", "-1"),
        *("--artifacts-dir", str(folder / "artifacts")),
        *("--flink-conf-dir", str(conf)),
    )
    processes.start(folder, "job-server", server, env)
    processes.wait_for_port(folder, "job-server", options.job_port)
    workers = (
        ""
        if options.local
        else f"""
  workers: {{kind: external, address: "localhost:{options.pool_port}"}}
  parallelism: {options.task_managers}"""
    )
    sys.stdout.write(
        f"beam:\n  kind: flink\n  job_endpoint: localhost:{options.job_port}{workers}\n"
    )


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
    command = java(jars, 768, runner, "-c", str(folder / "conf"))
    env = processes.on_loopback(folder)
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


def java(jars: Path, megabytes: int, entry: str, *arguments: str) -> list[str]:
    """Makes a command line."""
    opened = [f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in OPENED]
    # The service addresses are names; IPv6's loopback may not be there.
    first = ["java", f"-Xmx{megabytes}m", "-Djava.net.preferIPv4Stack=true", *opened]
    return [*first, "-cp", f"{jars}/*", entry, *arguments]


if __name__ == "__main__":
    main()
