"""flextune from Python: everything that a command does is one call.

Imported lazily as ``flextune.run``, ``flextune.evaluate``, ...; nothing loads torch before a model is needed.
"""
