"""What runs in the container of a compiled task, instead of TFX's own entry point.

Open-source Kubeflow Pipelines hands a TFX task less than Vertex AI does. What it
leaves out is put back here, before TFX's entry point does the rest:

- `invocation.py`: types of inputs, the launcher's own outputs, a baseline that is not there;
- `places.py`: addresses that TensorFlow cannot read;
- `lay_over.py`: parameters of a run that stand inside of another one;
- `run_id.py`: which run it is;
- `run.py`: TFX, and what its driver for files would have found out before.

A new difference is a function in one of them.
"""

COMMAND = ("python", "-m", "pipeline.kubeflow_task")
