"""Readers of benchmark and training files: one source per file, rows in, records out."""
