"""``python -m flextune``."""

from flextune.cli import main

main()
