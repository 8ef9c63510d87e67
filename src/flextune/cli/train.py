"""``flextune train``: only the trainings of an experiment file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from flextune.cli.options import DataDir, Json, Runs


def train(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Experiment file (YAML).", show_default=False)],
    overrides: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(
            metavar="KEY.PATH=VALUE", help="Set keys of the file: train.epochs=1.", show_default=False
        ),
    ] = None,
    data_dir: DataDir = None,
    runs: Runs = Path("runs"),
    as_json: Json = False,
) -> None:
    """Train the adapters of an experiment and print their folders; `flextune run` then reuses them.

    Arms with `generate.export: merged` also get a model folder that needs no adapter.
    """
    from flextune.cli.terminal import print_json, progress
    from flextune.config import load_experiment
    from flextune.runner.execute import RunOptions, train_experiment

    experiment = load_experiment(file, overrides or [])
    with progress() as reporter:
        options = RunOptions(data_dir, reporter=reporter)
        adapters = train_experiment(experiment, runs / experiment.name, options)
    if as_json:
        print_json([str(path) for path in adapters])
    else:
        for path in adapters:
            typer.echo(path)
