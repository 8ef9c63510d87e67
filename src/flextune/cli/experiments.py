"""What the commands that take an experiment share: the file, what is set in it, running and planning it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from flextune.cli.commands import Command

if TYPE_CHECKING:
    from flextune.config import Experiment
    from flextune.runner.execute import RunOptions

File = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="Experiment file (YAML), or a run's folder.", show_default=False),
]
Overrides = Annotated[
    Optional[list[str]],  # noqa: UP045 - typer reads it at run time
    typer.Argument(
        metavar="KEY.PATH=VALUE", help="Set keys of the file: train.epochs=1.", show_default=False
    ),
]
Replace = Annotated[
    bool, typer.Option("--replace", help="Replace scores and page of another experiment of this name.")
]
Quick = Annotated[
    bool, typer.Option("--quick", help="Smoke-test the whole experiment on a few examples, as NAME-quick.")
]
Plan = Annotated[
    bool, typer.Option("--plan", help="Print what would be done and what it could tell; do nothing.")
]

SweepReplace = Annotated[
    bool, typer.Option("--replace", help="Replace another sweep, or an experiment's results, of this name.")
]
SweepPlan = Annotated[
    bool, typer.Option("--plan", help="Print what would be trained, generated and judged; do nothing.")
]


class ExperimentCommand(Command):
    """A command whose arguments may set keys; a key given as an option is answered with the right form."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As typer does, with a hint where an unknown option is a key of an experiment."""
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            if option := getattr(error, "option_name", None):
                error.message = f"{getattr(error, 'message', error)}{_as_key(option)}"  # type: ignore[attr-defined]
            raise


def _as_key(option: str) -> str:
    from flextune.config import Experiment
    from flextune.config.validation import OTHER_NAMES, places

    name = option.lstrip("-").replace("-", "_").rpartition(".")[2]
    name = OTHER_NAMES.get(name, name)
    keys = [*Experiment.model_fields, *places(Experiment)]
    found = [key for key in keys if key.rpartition(".")[2] == name.rpartition(".")[2]]
    return f"; keys of an experiment are set as {found[0]}=VALUE, without dashes" if found else ""


def open_experiment(file: Path, overrides: list[str] | None, runs: Path) -> tuple[Experiment, Path]:
    """The experiment of a file, or of a run's folder, and the folder to run it in.

    Raises:
        FlextuneError: There is no such file, or it is no experiment.
    """
    from flextune.config import load_experiment
    from flextune.runs import layout

    if (file / layout.EXPERIMENT).is_file():
        return load_experiment(file / layout.EXPERIMENT, overrides or []), file
    experiment = load_experiment(file, overrides or [])
    return experiment, runs / experiment.name


def run_or_plan(
    experiment: Experiment, folder: Path, options: RunOptions, *, plan: bool, as_json: bool
) -> None:
    """Run an experiment and print its scores, or print what a run of it would do."""
    from flextune.cli.plan import show_plan
    from flextune.cli.show import show_run
    from flextune.runner.execute import run_experiment

    if plan:
        show_plan(experiment, folder, options, as_json=as_json)
    else:
        show_run(run_experiment(experiment, folder, options), as_json=as_json)


def sweep_or_plan(
    experiment: Experiment,
    runs: Path,
    *,
    data_dir: Path | None,
    workers: int | None,
    cluster: str | None,
    sandbox: bool,
    plan: bool,
    quickly: bool,
    replace: bool,
    as_json: bool,
) -> None:
    """Run a sweep and print what it found, or print what it would do."""
    from flextune.cli.show_sweep import show_sweep, show_sweep_plan
    from flextune.cli.terminal import progress
    from flextune.config import quick
    from flextune.runner.cluster.joining import joined
    from flextune.runner.execute import RunOptions
    from flextune.sweeps.outline import sweep_outline
    from flextune.sweeps.sweep import run_sweep

    if quickly:
        experiment = quick(experiment)
    folder = runs / experiment.name
    with progress() as reporter, joined(None if plan else cluster, workers) as executor:
        options = RunOptions(data_dir, workers, sandbox, reporter, replace, executor)
        if plan:
            show_sweep_plan(sweep_outline(experiment, folder, options), as_json=as_json)
            return
        result = run_sweep(experiment, folder, options)
    show_sweep(result, as_json=as_json)
