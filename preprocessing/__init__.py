"""Turns raw columns into model inputs, the same way in training and in serving.

Also holds what every other package builds on: `errors` and the config `Record`.
"""
