"""Sweeps: keys of an experiment varied by a search, chosen and reported on different problems."""
