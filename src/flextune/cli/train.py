"""``flextune train``: only the trainings of an experiment file."""

from __future__ import annotations

from pathlib import Path

import typer

from flextune.cli import experiments as e
from flextune.cli import options as o


def train(
    file: e.File,
    overrides: e.Overrides = None,
    data_dir: o.DataDir = None,
    runs: o.Runs = Path("runs"),
    quickly: e.Quick = False,
    as_json: o.Json = False,
) -> None:
    """Train the adapters of an experiment and print their folders; `flextune run` then reuses them."""
    from flextune.cli.terminal import print_json, progress
    from flextune.config import quick
    from flextune.runner.execute import RunOptions, train_experiment

    experiment, folder = e.open_experiment(file, overrides, runs)
    if quickly:
        experiment = quick(experiment)
        folder = folder.with_name(experiment.name)
    with progress() as reporter:
        options = RunOptions(data_dir, reporter=reporter)
        adapters = train_experiment(experiment, folder, options)
    if as_json:
        print_json([str(path) for path in adapters])
    else:
        for path in adapters:
            typer.echo(path)
