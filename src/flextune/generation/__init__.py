"""Answers of a model: problems and a way of decoding in, completions out."""
