"""``flextune sweep``: keys varied by a search, chosen on one half of the problems, reported on the other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from flextune.cli.options import DataDir, Json, NoSandbox, Runs, Workers


def sweep(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Experiment file with a section sweep.", show_default=False),
    ],
    overrides: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(
            metavar="KEY.PATH=VALUE", help="Set keys of the file: sweep.trials=30.", show_default=False
        ),
    ] = None,
    data_dir: DataDir = None,
    runs: Runs = Path("runs"),
    workers: Workers = None,
    no_sandbox: NoSandbox = False,
    plan: Annotated[
        bool,
        typer.Option("--plan", help="Print what would be trained, generated and judged; do nothing."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Vary keys of an experiment, choose, and report the choice on problems that had no hand in it.

    Start it in several terminals, or on machines that share the folder, to have several workers.
    """
    from flextune.cli.show_sweep import show_sweep, show_sweep_plan
    from flextune.cli.terminal import progress
    from flextune.config import load_experiment
    from flextune.runner.execute import RunOptions
    from flextune.sweeps.outline import sweep_outline
    from flextune.sweeps.sweep import run_sweep

    experiment = load_experiment(file, overrides or [])
    folder = runs / experiment.name
    with progress() as reporter:
        options = RunOptions(data_dir, workers, not no_sandbox, reporter)
        if plan:
            show_sweep_plan(sweep_outline(experiment, folder, options), as_json=as_json)
            return
        result = run_sweep(experiment, folder, options)
    show_sweep(result, as_json=as_json)
