"""Beam on Apache Flink."""

from typing import ClassVar, Literal

from pipeline.engines.portable import PortableEngine, Server


class FlinkEngine(PortableEngine):
    """Runs jobs on a Flink cluster; how often work is done again is the cluster's setting."""

    kind: Literal["flink"]

    server: ClassVar = Server(
        engine="Flink",
        runner="FlinkRunner",
        jar_option="flink_job_server_jar",
        master_option="flink_master",
        inside="[local]",
        told=b"flink_master",
        driver="org.apache.beam.runners.flink.FlinkJobServerDriver",
    )
