"""Reads pictures and tables into tf.Examples and sets unreadable ones aside."""
