"""Runs every example once through the frozen backbones and keeps the vectors."""
