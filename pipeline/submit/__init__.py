"""`graft submit`: gives a compiled pipeline to Vertex AI or Kubeflow, and follows the run.

The rules are in plain modules; only vertex.py and kubeflow.py talk to a service,
each through the service's own client. Another platform is a module like them,
and its line in submit.py.
"""
