"""Tries a model as a server would, in a process that has nothing of ours, before it is pushed."""
