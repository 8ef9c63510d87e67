"""``flextune sweep``: keys varied by a search, chosen on one half of the problems, reported on the other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from flextune.cli import experiments as e
from flextune.cli.options import Cluster, DataDir, Json, NoSandbox, Runs, Workers


def sweep(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Experiment file with a section `sweep`.", show_default=False),
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
    cluster: Cluster = None,
    no_sandbox: NoSandbox = False,
    quickly: e.Quick = False,
    plan: e.SweepPlan = False,
    replace: e.SweepReplace = False,
    as_json: Json = False,
) -> None:
    """Vary keys of an experiment, choose, and report the choice on problems that did not choose it.

    Start it in several terminals, or on machines that share the folder, to have several workers; or once with
    --cluster.
    """
    from flextune.config import load_experiment

    e.sweep_or_plan(
        load_experiment(file, overrides or []),
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
