"""The frequency-domain penalty and the spectra of adapters; needs torch alone."""
