"""Memory does not grow with the number of rows."""

import json
import os
import subprocess
import sys

import pytest

_RUN = """
import sys
from serving.batch.request import BatchRequest
from serving.batch.run import predict_batch
model, source, output = sys.argv[1:]
predict_batch(BatchRequest(model=model, input=source, output=output, keep=("description",)))
# Not getrusage: its peak includes that of the process that started this one.
with open("/proc/self/status") as status:
    print(next(line for line in status if line.startswith("VmHWM")).split()[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs Linux's /proc")
def test_four_times_the_rows_take_no_more_memory(prices_model, table, tmp_path):
    """160 MB of rows against 40 MB; held in memory they could not hide."""
    peaks = []
    for count in (2_000, 8_000):
        rows = (f"{number % 7},Acme,{number:08d}{'x' * 20_000}" for number in range(count))
        source = table(*rows, header="retail_price,brand,description", name=f"{count}.csv")
        output = tmp_path / f"{count}.parquet"
        done = subprocess.run(
            [sys.executable, "-c", _RUN, prices_model("binary"), str(source), str(output)],
            capture_output=True,
            text=True,
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        assert done.returncode == 0, done.stderr
        peaks.append(json.loads(done.stdout.splitlines()[-1]) / 1024)
    small, large = peaks
    assert large < 1.1 * small, f"{small:.0f} MB for 2,000 rows, {large:.0f} MB for 8,000"
