"""Asks a server over TF Serving's interfaces, and over nothing else.

predict.py is what `graft predict` calls; target.py says where the server is,
rows.py what is sent, rest.py and rpc.py how. REST needs no TensorFlow.
"""
