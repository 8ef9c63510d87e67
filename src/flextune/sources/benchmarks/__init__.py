"""One benchmark a file, each of which registers itself in ``flextune.registry.BENCHMARKS``.

To add a benchmark, add a file that ends in ``BENCHMARKS.register(NAME, Benchmark(...))``; no other file
changes. Another distribution does so in a module of its own, and names it in an entry point of the group
``flextune.benchmarks``.
"""
