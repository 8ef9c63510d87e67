"""``flextune tune``: a budget in, an adapter's configuration with its honest score out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from flextune.cli import experiments as e
from flextune.cli.options import Cluster, DataDir, Json, NoSandbox, Runs, Workers


def tune(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Experiment file (YAML).", show_default=False)],
    overrides: e.Overrides = None,
    budget: Annotated[int, typer.Option("--budget", min=2, help="Configurations to train and judge.")] = 9,
    arm: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--arm", help="Arm to tune, if the file has arms.", show_default=False),
    ] = None,
    by_loss: Annotated[
        bool, typer.Option("--by-loss", help="Choose by the validation loss, not by pass@1.")
    ] = False,
    data_dir: DataDir = None,
    runs: Runs = Path("runs"),
    workers: Workers = None,
    cluster: Cluster = None,
    no_sandbox: NoSandbox = False,
    quickly: e.Quick = False,
    plan: e.SweepPlan = False,
    replace: e.SweepReplace = False,
    as_json: Json = False,
) -> None:
    """Choose an adapter's configuration: search around the file's own, then report on other problems.

    The search moves the keys of the section tune, or else learning rate, alpha and the penalty's strength.
    The run is NAME-tuned; its chosen.yaml is an experiment for flextune run.
    """
    from flextune.config import load_experiment
    from flextune.sweeps.automatic import automatic_sweep

    e.sweep_or_plan(
        automatic_sweep(load_experiment(file, overrides or []), budget, arm=arm, by_loss=by_loss),
        runs,
        data_dir=data_dir,
        workers=workers,
        cluster=cluster,
        sandbox=not no_sandbox,
        plan=plan,
        quickly=quickly,
        replace=replace,
        as_json=as_json,
    )
