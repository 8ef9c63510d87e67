"""``flextune show``: one run: what it was, how far it is, what came out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flextune.cli import options as o

if TYPE_CHECKING:
    from flextune.runs.run import Run


def show(
    name: Annotated[str, typer.Argument(metavar="RUN", help="A run's name or folder.", show_default=False)],
    runs: o.Runs = Path("runs"),
    as_json: o.Json = False,
) -> None:
    """Show a run: its model and arms, its trainings and evaluations with their folders, its scores and page.

    The folders are what `flextune compare`, `score` and `spectrum` take.
    """
    from flextune.cli.show import show_scores
    from flextune.cli.terminal import print_json
    from flextune.runs.run import find_run

    run = find_run(name, runs)
    row = _row(run)
    if as_json:
        print_json(row)
        return
    _print(row)
    if run.scores_file.is_file():
        show_scores(run, run.scores.scores, run.comparisons, run.page)
    else:
        typer.echo(f"no scores yet: flextune run {run.folder} continues it")


def _row(run: Run) -> dict[str, Any]:
    experiment = run.experiment
    arms = experiment.resolved_arms()
    return {
        "name": run.name,
        "folder": str(run.folder),
        "models": list(dict.fromkeys(arm.model for arm in arms)),
        "arms": [arm.name for arm in arms],
        "seeds": list(experiment.seeds),
        "scored": run.scores_file.is_file(),
        "page": str(run.page) if run.page.is_file() else None,
        "trainings": [_training(trained) for trained in run.trainings()],
        "evaluations": [_evaluation(run, judged) for judged in run.judgings()],
    }


def _training(trained: Any) -> dict[str, Any]:
    row, log = trained.settings(), trained.log()
    steps = max((line.get("step", 0) for line in log), default=0)
    losses = [line["loss"] for line in log if line.get("loss") is not None]
    return {
        "folder": str(trained.folder),
        "state": "finished" if trained.finished else "diverged" if trained.diverged else "unfinished",
        "seed": row.get("seed"),
        "steps": steps,
        "loss": losses[-1] if losses else None,
        "seconds": max((line.get("seconds") or 0.0 for line in log), default=0.0),
        "pass_at_1": _watched(log),
    }


def _watched(log: list[dict[str, Any]]) -> dict[str, list[float | None]]:
    """What was evaluated while it trained: its values, from before the first step on."""
    names = dict.fromkeys(key for line in log for key in line if key.startswith("pass_at_1"))
    return {name: [line[name] for line in log if name in line] for name in names}


def _evaluation(run: Run, judged: Any) -> dict[str, Any]:
    generation = judged.settings().get("generation")
    row = run.generated(str(generation)).settings() if generation else {}
    part = row.get("evaluate") or {}
    verdicts = judged.known_verdicts().values()
    return {
        "folder": str(judged.folder),
        "benchmark": part.get("benchmark"),
        "language": part.get("language"),
        "lexicon": part.get("lexicon") if part.get("benchmark") == "rosetta" else None,
        "training": row.get("training") or row.get("adapter"),
        "seed": row.get("seed"),
        "judged": len(verdicts),
        "passed": sum(verdict.passed for verdict in verdicts),
    }


def _print(row: dict[str, Any]) -> None:
    from flextune.cli.terminal import print_line
    from flextune.progress import duration
    from flextune.report.formats import UNDEFINED, number

    seeds = ", ".join(map(str, row["seeds"]))
    print_line(f"{row['name']}: {', '.join(row['models'])}; arms {', '.join(row['arms'])}; seeds {seeds}")
    for one in row["trainings"]:
        loss = number(one["loss"], 4) if one["loss"] is not None else UNDEFINED
        typer.echo(
            f"  {_short(one['folder'])}  {one['state']}, seed {one['seed']}, {one['steps']} steps, "
            f"loss {loss}, {duration(one['seconds'])}"
        )
        for name, values in one["pass_at_1"].items():
            curve = " ".join(UNDEFINED if value is None else f"{value:.0%}" for value in values)
            typer.echo(f"    {name} while training: {curve}")
    for one in row["evaluations"]:
        words = " ".join(filter(None, (one["benchmark"], one["language"], one["lexicon"])))
        of = f" of {one['training']}" if one["training"] else " of the base model"
        typer.echo(f"  {_short(one['folder'])}  {words}{of}: {one['passed']}/{one['judged']} passed")


def _short(folder: str) -> str:
    """Kind and key: the run's folder stands above."""
    return "/".join(Path(folder).parts[-2:])
