"""``flextune power``: what an experiment can tell, before it is run."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from flextune.cli.options import Json


class Against(StrEnum):
    """How often the baseline is run."""

    once = "once"
    as_many = "as-many"


def power(
    problems: Annotated[
        int, typer.Option("--problem-count", help="Problems that both arms answer.", show_default=False)
    ],
    seeds: Annotated[
        int, typer.Option("--seeds", help="Trainings per arm; 0 compares two fixed models.")
    ] = 3,
    rate: Annotated[float, typer.Option("--rate", help="Expected pass rate of the baseline, 0 to 1.")] = 0.3,
    seed_spread: Annotated[
        float, typer.Option("--seed-spread", help="Standard deviation of a training's pass rate, 0 to 1.")
    ] = 0.03,
    samples: Annotated[int, typer.Option("--n", help="Answers per problem and training.")] = 1,
    baseline: Annotated[
        Against,
        typer.Option(
            "--baseline",
            help="Runs of the baseline. once: a fixed model. as-many: trained as often as the arm.",
        ),
    ] = Against.once,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the draws.")] = 0,
    as_json: Json = False,
) -> None:
    """Draw experiments of several true differences and count how often the page would show them."""
    from flextune.api import verdicts
    from flextune.cli.terminal import out, print_json, print_line
    from flextune.records import as_row
    from flextune.report.formats import count
    from flextune.report.tables import Table, rich_table

    found = verdicts.power(
        problems=problems,
        seeds=seeds,
        rate=rate,
        seed_spread=seed_spread,
        samples=samples,
        baseline=baseline.value,
        seed=seed,
    )
    if as_json:
        print_json(as_row(found))
        return
    rows = [
        (count(round(100 * difference), "point"), f"{100 * share:.0f} %")
        for difference, share in zip(found.differences, found.shown, strict=True)
    ]
    if found.design.decides:
        out().print(rich_table(Table("", ("true difference", "shown"), tuple(rows), align="lr"), {}))
    print_line(f"can show: {found.words}")
