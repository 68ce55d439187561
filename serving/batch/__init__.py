"""Predicts whole tables, folders and TFRecord files, on Beam, shard by shard."""
