"""``flextune score``: what a file of verdicts says about a model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flextune.cli.options import Json

if TYPE_CHECKING:
    from rich.table import Table

    from flextune.judging.scoring import LanguageScore
    from flextune.records import Estimate

#: The exit status where a language has no verdict that says anything.
NOT_JUDGED = 3
#: Names that a line shows.
_NAMES = 3


def score(
    verdicts: Annotated[
        Path,
        typer.Argument(metavar="VERDICTS", help="File of verdicts (judge -o), or an evaluation's folder."),
    ],
    as_json: Json = False,
) -> None:
    """Print pass@1, @10 and @100 of a verdict file with 95 % intervals, for each language.

    The estimator is the unbiased one. Where a problem has fewer samples than k, but two or more, the
    brackets are bounds of pass@k without a value. The exit status is 3 where nothing is known about a
    language.
    """
    from flextune.cli.terminal import print_json
    from flextune.judging.scoring import score_file

    scores = score_file(verdicts)
    if as_json:
        print_json([score_row(one) for one in scores])
    else:
        show_scores(scores)
    end_unless_known(scores)


def end_unless_known(scores: Sequence[LanguageScore]) -> None:
    """End with status 3 where a language has no verdict that says anything about a program."""
    if not all(one.known for one in scores if one.samples):
        raise typer.Exit(NOT_JUDGED)


def score_row(score: LanguageScore) -> dict[str, Any]:
    """A language's score as JSON."""
    from flextune.records import as_row

    return {**as_row(score), "known": score.known}


def show_scores(scores: Sequence[LanguageScore]) -> None:
    """Print a table, and which problems the estimates leave out."""
    from flextune.cli.terminal import out, print_line

    judged = [score for score in scores if score.samples]
    metrics = list(dict.fromkeys(estimate.metric for score in judged for estimate in score.estimates))
    # Beside several intervals there is no room for the outcomes.
    beside = len(metrics) == 1
    out().print(_table(judged, metrics, outcomes=beside))
    for score in judged:
        if score.outcomes and not beside:
            print_line(f"{score.language}: {_outcomes(score)}")
        if score.left_out and score.known:
            count, names = len(score.left_out), ", ".join(score.left_out[:_NAMES])
            problems = "1 problem has" if count == 1 else f"{count} problems have"
            more = ", ..." if count > _NAMES else ""
            print_line(
                f"{score.language}: {problems} an unknown outcome and no part in pass@k ({names}{more})"
            )


def _table(scores: Sequence[LanguageScore], metrics: Sequence[str], *, outcomes: bool) -> Table:
    """A line for each language, in percent; ``-`` where nothing is known."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("language", no_wrap=True)
    for column in ("judged", "passed", *(f"{metric} %" for metric in metrics)):
        table.add_column(column, justify="right", no_wrap=True)
    if outcomes:
        table.add_column("other outcomes")
    for score in scores:
        found = {estimate.metric: _shown(estimate) for estimate in score.estimates}
        judged = str(score.known) if score.known == score.samples else f"{score.known} of {score.samples}"
        cells = [score.language or "-", judged, str(score.passed), *(found.get(one, "-") for one in metrics)]
        table.add_row(*cells, *([_outcomes(score)] if outcomes else []))
    return table


def _outcomes(score: LanguageScore) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in score.outcomes.items())


def _shown(estimate: Estimate) -> str:
    if not estimate.count:
        return "-"
    # With fewer samples than k there are bounds and no value.
    value = "" if math.isnan(estimate.value) else f"{100 * estimate.value:.1f}"
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]".lstrip()
