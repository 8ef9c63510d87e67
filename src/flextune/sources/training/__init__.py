"""One source of training examples a file, each of which registers itself in ``TRAINING_SOURCES``.

To add a source, add a file that ends in ``TRAINING_SOURCES.register(NAME, TrainingSource(...))``; no other
file changes. Another distribution does so in a module of its own, and names it in an entry point of the group
``flextune.training_sources``.
"""
