"""Rosetta: an embedded benchmark of small composed problems in several languages, and its base model."""
