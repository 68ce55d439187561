"""What can run Beam's jobs: one module for each engine, and the looks at it before a run."""
