"""flextune: fine-tune code models in one language and know what it does to the others."""

__version__ = "0.1.0"
