"""Asks job servers and worker pools whether they are there; imports no Beam.

Beam's gRPC services are called with empty messages, which say enough.
"""

from preprocessing.errors import ConfigError, explain

_DESCRIBE = "/org.apache.beam.model.job_management.v1.JobService/DescribePipelineOptions"
_STOP = "/org.apache.beam.model.fn_execution.v1.BeamFnExternalWorkerPool/StopWorker"
_SEE = "docs/beam.md"
TIMEOUT_SECONDS = 10.0


def check_job_server(endpoint: str, engine: str, option: bytes, timeout: float) -> None:
    """Looks for a job server.

    Args:
        endpoint: Host and port.
        engine: "Flink" or "Spark".
        option: Of the options that the server describes, one that only this engine has.
        timeout: Seconds to wait for an answer.

    Raises:
        ConfigError: Nothing answers, or something else does.
    """
    key = "beam.job_endpoint"
    reply = _call(endpoint, _DESCRIBE, key, f"{engine}'s job server", timeout)
    if option not in reply:
        what = f"{key}: this is a job server of Beam, but not for {engine}"
        raise ConfigError(explain(what, endpoint, see=_SEE))


def check_worker_pool(address: str, timeout: float = TIMEOUT_SECONDS) -> None:
    """Looks for a pool of Python workers.

    Args:
        address: Host and port.
        timeout: Seconds to wait for an answer.

    Raises:
        ConfigError: Nothing answers, or something else does.
    """
    # That there is no such worker to stop, it does not mind.
    _call(address, _STOP, "beam.workers.address", "the pool of workers", timeout)


def _call(address: str, method: str, key: str, who: str, timeout: float) -> bytes:
    import grpc

    with grpc.insecure_channel(address) as channel:
        try:
            # Without a serializer, bytes are sent as they are.
            return channel.unary_unary(method)(b"", timeout=timeout)
        except grpc.RpcError as error:
            code = error.code()  # type: ignore[attr-defined]
            silent = code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
    what = f"{who} does not answer" if silent else f"what answers is not {who}"
    raise ConfigError(explain(f"{key}: {what}", address, see=_SEE))
