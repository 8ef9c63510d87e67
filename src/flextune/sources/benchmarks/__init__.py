"""One benchmark a file; each registers itself in ``flextune.registry.BENCHMARKS``."""
