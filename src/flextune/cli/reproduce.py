"""``flextune reproduce``: the paper's rounds, beside the paper's numbers."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Optional

import typer

from flextune.cli.options import DataDir, Json, NoSandbox, Runs, Workers


class Scale(StrEnum):
    """Of which model."""

    embedded = "embedded"
    small = "small"
    full = "full"


def reproduce(
    overrides: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(
            metavar="KEY.PATH=VALUE", help="Set keys of every arm: train.max_steps=20.", show_default=False
        ),
    ] = None,
    scale: Annotated[
        Scale,
        typer.Option(
            "--scale",
            help="embedded: the embedded model, in minutes. small: --model. full: Code Llama 7B.",
        ),
    ] = Scale.embedded,
    model: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--model", help="For --scale small: a folder, a hub id or a GGUF file."),
    ] = None,
    rounds: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--round", help="Only this round (0 to 5, 3a to 3c); again for more.", show_default=False
        ),
    ] = None,
    data_dir: DataDir = None,
    runs: Runs = Path("runs"),
    workers: Workers = None,
    no_sandbox: NoSandbox = False,
    quickly: Annotated[
        bool, typer.Option("--quick", help="All of it with next to no data, as NAME-quick: does it work?")
    ] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Print what would be done; do nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Run the paper's rounds as one experiment; its page has the paper's numbers and claims beside ours."""
    from flextune.cli.plan import show_plan
    from flextune.cli.show import show_run
    from flextune.cli.terminal import progress
    from flextune.config import quick
    from flextune.runner.execute import RunOptions, run_experiment
    from flextune.studies.rounds.experiments import ROUNDS, all_rounds

    experiment = all_rounds(scale.value, model=model, rounds=rounds or ROUNDS, overrides=overrides or ())
    if quickly:
        experiment = quick(experiment)
    with progress() as reporter:
        options = RunOptions(data_dir, workers, not no_sandbox, reporter)
        if plan:
            show_plan(experiment, runs / experiment.name, options, as_json=as_json)
            return
        result = run_experiment(experiment, runs / experiment.name, options)
    show_run(result, as_json=as_json)
