"""Beam on Apache Spark."""

from typing import ClassVar, Literal

from pipeline.engines.portable import PortableEngine, Server


class SparkEngine(PortableEngine):
    """Runs jobs on a Spark cluster; how often work is done again is Spark's own setting."""

    kind: Literal["spark"]

    server: ClassVar = Server(
        engine="Spark",
        runner="SparkRunner",
        jar_option="spark_job_server_jar",
        master_option="spark_master_url",
        inside="local[*]",
        told=b"spark_master",
        driver="org.apache.beam.runners.spark.SparkJobServerDriver",
    )
