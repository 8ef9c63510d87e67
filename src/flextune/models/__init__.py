"""Causal language models: loading, token encoding, LoRA adapters and merging.

Nothing here imports torch before a model is asked for.
"""
