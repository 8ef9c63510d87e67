"""Speed against the usual way, both sides in one run; see ``benchmarks/results``."""
