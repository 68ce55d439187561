"""A small server for development that speaks TF Serving's interfaces.

limits.py says how much one request may ask for, refusal.py how it is told no.
versions.py knows which version of the model answers, model.py runs it, gate.py
decides whose turn it is, predictor.py ties these together. rest.py and rpc.py
are the two protocols around it, run.py the process.
"""
