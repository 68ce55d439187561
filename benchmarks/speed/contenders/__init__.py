"""The scripts that are measured, each a whole program of its own."""
