"""Spectra of adapters, measured with ``flextune spectrum``, as tables and figures."""
