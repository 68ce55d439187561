"""A schema that stands in the pipeline itself instead of in a file."""
