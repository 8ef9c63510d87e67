"""Units of a run as tasks of a Ray cluster whose nodes share the folder of runs."""
