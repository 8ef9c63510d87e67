"""One experiment from end to end: the place where the stages meet."""
