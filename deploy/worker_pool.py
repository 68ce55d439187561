"""A pool of Python workers for a cluster on this machine: `python -m deploy.worker_pool PORT`.

What apache_beam.runners.worker.worker_pool_main does, on loopback alone; each
worker is a process, with this Python and with Keras 2.
"""

import os
import signal
import sys
from concurrent import futures
from pathlib import Path


def main(port: int) -> None:
    """Serves until it is told to end, and ends its workers then."""
    # Workers are started as `python`, in this environment.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    import grpc
    from apache_beam.portability.api import beam_fn_api_pb2_grpc
    from apache_beam.runners.worker import worker_pool_main

    pool = worker_pool_main.BeamFnExternalWorkerPoolServicer(use_process=True)
    server = grpc.server(futures.ThreadPoolExecutor(8))
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(pool, server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        signal.pause()
    finally:
        server.stop(0)
        for process in list(pool._worker_processes.values()):
            worker_pool_main.kill_process_gracefully(process)


if __name__ == "__main__":
    main(int(sys.argv[1]))
