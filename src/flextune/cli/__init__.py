"""The command line: one thin file per command."""

from __future__ import annotations


def main() -> None:
    """Entry point of ``flextune``."""
    from flextune.cli.app import run

    run()
