"""``flextune schema``: the JSON schema of an experiment file."""

from __future__ import annotations


def schema() -> None:
    """Print the JSON schema of an experiment file, for editors."""
    from flextune.cli.terminal import print_json
    from flextune.config import schema as experiment_schema

    print_json(experiment_schema())
