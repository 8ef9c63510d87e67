"""Studies of a run: what is chosen, contrasted, claimed and shown; one folder each, with its ``STUDY``."""
