"""`python -m pipeline.kubeflow_task`: see the package."""

import sys

from pipeline.kubeflow_task.run import run
from pipeline.terminal import graft_error

if __name__ == "__main__":
    try:
        run(sys.argv[1:])
    except Exception as error:
        cause = graft_error(error)
        if cause is None:
            raise
        sys.stderr.write(f"{cause}\n")
        sys.exit(cause.exit_code)
