"""``flextune judge --explain``: which program is judged for a sample, and by which rules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from flextune.records import Problem


def show_explanation(
    wanted: str, samples: Path | None, problems: Path | Sequence[Problem] | None, *, as_json: bool
) -> None:
    """Print how a sample is read.

    Args:
        wanted: ``NAME`` or ``NAME:SAMPLE``.
        samples: File or folder of samples.
        problems: File of problems, or problems; None where the samples bring their own.
        as_json: Print a JSON list instead of text.

    Raises:
        FlextuneError: No samples are given, or there is no such sample.
    """
    from flextune.cli.terminal import print_json
    from flextune.errors import FlextuneError
    from flextune.judging.explaining import explain_sample
    from flextune.records import as_row

    if samples is None:
        raise FlextuneError("--explain needs --samples FILE, and --problems FILE or --benchmark NAME")
    name, _, number = wanted.rpartition(":")
    if not name or not number.isdecimal():
        name, number = wanted, "0"
    found = explain_sample(samples, problems, name=name, sample=int(number))
    if as_json:
        print_json([as_row(explanation) for explanation in found])
        return
    for explanation in found:
        typer.echo(f"{name}, sample {number} ({explanation.language}), read as {_KINDS[explanation.kind]}")
        for step in explanation.steps:
            typer.echo(f"  {step}")
        typer.echo(f"\n{explanation.program}\n")


_KINDS = {"answer": "an answer", "program": "a program", "completion": "a completion"}
