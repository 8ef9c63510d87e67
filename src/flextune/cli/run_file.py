"""``flextune run``: an experiment file from end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from flextune.cli.options import DataDir, Json, NoSandbox, Runs, Workers


def run_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Experiment file (YAML).", show_default=False)],
    overrides: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(
            metavar="KEY.PATH=VALUE", help="Set keys of the file: train.epochs=1.", show_default=False
        ),
    ] = None,
    data_dir: DataDir = None,
    runs: Runs = Path("runs"),
    workers: Workers = None,
    no_sandbox: NoSandbox = False,
    quickly: Annotated[
        bool,
        typer.Option("--quick", help="All of it with next to no data, as <name>-quick: does it work?"),
    ] = False,
    plan: Annotated[
        bool,
        typer.Option("--plan", help="Print what would be done and what it could tell; do nothing."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Run an experiment: train, generate, judge, score and report. Goes on where it was stopped."""
    from flextune.cli.plan import show_plan
    from flextune.cli.show import show_run
    from flextune.cli.terminal import progress
    from flextune.config import load_experiment, quick
    from flextune.runner.execute import RunOptions, run_experiment

    experiment = load_experiment(file, overrides or [])
    if quickly:
        experiment = quick(experiment)
    with progress() as reporter:
        options = RunOptions(data_dir, workers, not no_sandbox, reporter)
        if plan:
            show_plan(experiment, runs / experiment.name, options, as_json=as_json)
            return
        result = run_experiment(experiment, runs / experiment.name, options)
    show_run(result, as_json=as_json)
