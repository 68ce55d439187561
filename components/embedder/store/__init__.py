"""Feature vectors kept by content, shared by runs; imports no TensorFlow for local folders.

    <store>/<namespace>/namespace.json   what the vectors depend on beside the content
    <store>/<namespace>/<id>.vectors     a segment: keys, marks, vectors, checksums

Files appear under their names whole and are never changed, so any number of
processes may read, write and delete at once.
"""
