"""``flextune reproduce``: the paper's rounds, beside the paper's numbers."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Optional

import typer

from flextune.cli import experiments as e
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
        typer.Option("--model", help="Model of --scale small: a folder, a hub id or a GGUF file."),
    ] = None,
    rounds: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--round", help="Run only this round (0 to 5, 3a to 3c); repeatable.", show_default=False
        ),
    ] = None,
    data_dir: DataDir = None,
    runs: Runs = Path("runs"),
    workers: Workers = None,
    no_sandbox: NoSandbox = False,
    quickly: e.Quick = False,
    plan: e.Plan = False,
    replace: e.Replace = False,
    as_json: Json = False,
) -> None:
    """Run the paper's rounds as one experiment; its page compares the paper's claims with ours."""
    from flextune.cli.terminal import progress
    from flextune.config import quick
    from flextune.runner.execute import RunOptions
    from flextune.studies.rounds.experiments import ROUNDS, all_rounds

    experiment = all_rounds(scale.value, model=model, rounds=rounds or ROUNDS, overrides=overrides or ())
    if quickly:
        experiment = quick(experiment)
    with progress() as reporter:
        options = RunOptions(data_dir, workers, not no_sandbox, reporter, replace)
        e.run_or_plan(experiment, runs / experiment.name, options, plan=plan, as_json=as_json)
