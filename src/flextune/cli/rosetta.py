"""``flextune rosetta``: the embedded benchmark and its base model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Optional

import typer

from flextune.cli import options as o
from flextune.cli.commands import Command, Group

app = typer.Typer(
    cls=Group, help="Show or rebuild the embedded benchmark and its base model.", no_args_is_help=True
)


@app.command("pretrain", cls=Command)
def pretrain(
    output: Annotated[
        Path, typer.Argument(metavar="OUTPUT", help="Folder for the new model.", show_default=False)
    ],
    documents: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--documents", min=100, help="Programs to read (default: as for the packaged model)."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the text and the training.")] = 0,
) -> None:
    """Make a new embedded base model: a tokenizer, then pretraining on Rosetta text."""
    from flextune.cli.terminal import progress
    from flextune.extras import need
    from flextune.files.output import check_new_folder

    check_new_folder(output, "OUTPUT", empty=True)
    need("torch", "transformers")
    from flextune.rosetta.pretrain import Recipe, write_recipe
    from flextune.rosetta.pretrain import pretrain as train_base

    recipe = Recipe(seed=seed) if documents is None else Recipe(seed=seed, documents=documents)
    with progress() as reporter, reporter.stage("pretrain", recipe.documents) as stage:
        result = train_base(recipe, output, progress=lambda done, total, _: stage.update(done, total))
    write_recipe(output, recipe, result)
    typer.echo(
        f"{output}: {result.parameters:,} parameters, {result.tokens:,} tokens, "
        f"loss {result.loss:.3f}, {result.seconds:.0f} s"
    )


@app.command("rows", cls=Command)
def rows(
    language: Annotated[str, typer.Option("--language", help="Language: py, java or js.")] = "py",
    lexicon: o.Lexicon = "base",
    limit: o.Limit = None,
    training: Annotated[
        bool, typer.Option("--training", help="Print the Python fine-tuning set instead, in MBPP's format.")
    ] = False,
) -> None:
    """Print problems as JSON lines in MultiPL-E's format."""
    from flextune.rosetta.examples import training_rows
    from flextune.rosetta.rows import rows as problem_rows

    if training:
        found = training_rows(lexicon=lexicon, limit=limit)
    else:
        found = problem_rows(language, lexicon=lexicon, limit=limit)
    for row in found:
        typer.echo(json.dumps(row, ensure_ascii=False))


@app.command("card", cls=Command)
def card(as_json: o.Json = False) -> None:
    """Count what the benchmark is made of: splits, retrieval, what its tests catch (a minute)."""
    from flextune.cli.terminal import out, print_json, progress
    from flextune.report.tables import Table, rich_table
    from flextune.rosetta.card import card as count

    with progress() as reporter:
        counted = count(reporter)
    if as_json:
        print_json(counted.as_row())
        return
    table = Table("Rosetta", ("what", "number", "share"), tuple(counted.lines()))
    out().print(rich_table(table, {}))
