"""``flextune tune``: a budget in, an adapter's configuration with its honest score out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from flextune.cli.options import DataDir, Json, NoSandbox, Runs, Workers


def tune(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Experiment file (YAML).", show_default=False)],
    overrides: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(
            metavar="KEY.PATH=VALUE", help="Set keys of the file: train.epochs=1.", show_default=False
        ),
    ] = None,
    budget: Annotated[int, typer.Option("--budget", min=2, help="Configurations to train and judge.")] = 9,
    arm: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--arm", help="The arm that is tuned, where the file has arms.", show_default=False),
    ] = None,
    by_loss: Annotated[
        bool, typer.Option("--by-loss", help="Choose by the validation loss, not by pass@1.")
    ] = False,
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
    """Choose an adapter's configuration: search around the file's own, then report on other problems.

    What is moved is what the section tune names, or else learning rate, alpha and the penalty's strength.
    The run is NAME-tuned; its chosen.yaml is an experiment for flextune run.
    """
    from flextune.cli.show_sweep import show_sweep, show_sweep_plan
    from flextune.cli.terminal import progress
    from flextune.config import load_experiment
    from flextune.runner.execute import RunOptions
    from flextune.sweeps.automatic import automatic_sweep
    from flextune.sweeps.outline import sweep_outline
    from flextune.sweeps.sweep import run_sweep

    experiment = automatic_sweep(load_experiment(file, overrides or []), budget, arm=arm, by_loss=by_loss)
    folder = runs / experiment.name
    with progress() as reporter:
        options = RunOptions(data_dir, workers, not no_sandbox, reporter)
        if plan:
            show_sweep_plan(sweep_outline(experiment, folder, options), as_json=as_json)
            return
        result = run_sweep(experiment, folder, options)
    show_sweep(result, as_json=as_json)
