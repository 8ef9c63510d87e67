"""Tests of problems: references, empty completions and mutants."""
