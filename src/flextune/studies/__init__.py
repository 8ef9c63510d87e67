"""Studies of a run: what is chosen, contrasted, claimed and shown.

A study is a folder here whose ``__init__`` registers it in ``registry.STUDIES``. Another package registers
one with an entry point of the group ``flextune.studies``, a notebook with ``STUDIES.register``.
"""
