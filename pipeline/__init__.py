"""What runs, in which order and where: config, DAG, runners, command line."""
