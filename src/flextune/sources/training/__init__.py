"""One source of training examples a file; each registers itself in ``flextune.registry.TRAINING_SOURCES``."""
