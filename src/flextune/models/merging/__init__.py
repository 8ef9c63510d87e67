"""Adapters merged into the weights that they adapt: in memory, or from files to files, a tensor at a time."""
