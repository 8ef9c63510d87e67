"""``flextune eval``: a model, with or without an adapter, on a benchmark; no experiment file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flextune.cli import options as o


def evaluate(
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL[+ADAPTER]", help="rosetta, a folder or a hub id; then a PEFT folder."),
    ],
    benchmark: o.Benchmark = "rosetta",
    language: o.Languages = None,
    lexicon: o.Lexicon = "base",
    limit: o.Limit = None,
    temperature: o.Temperature = 0.0,
    top_p: o.TopP = 0.95,
    samples: o.Samples = 1,
    beams: o.Beams = 0,
    max_new_tokens: o.MaxNewTokens = 512,
    batch_size: o.BatchSize = 32,
    seed: o.Seed = 0,
    dtype: o.DType = "float32",
    merged: Annotated[bool, typer.Option("--merged", help="Merge the adapter into the weights.")] = False,
    data_dir: o.DataDir = None,
    runs: o.Runs = Path("runs"),
    workers: o.Workers = None,
    no_sandbox: o.NoSandbox = False,
    as_json: o.Json = False,
) -> None:
    """Evaluate a model on a benchmark by running its programs."""
    from flextune.cli.requests import decode_request, evaluation_request, slug, split_model
    from flextune.cli.terminal import out, print_json, progress
    from flextune.records import as_row
    from flextune.runner.execute import RunOptions, evaluate_model
    from flextune.studies.scores.score_table import score_table

    name, adapter = split_model(model)
    experiment = evaluation_request(
        name,
        benchmark=benchmark,
        languages=language,
        lexicon=lexicon,
        limit=limit,
        dtype=dtype,
        seed=seed,
        decode=decode_request(
            temperature=temperature,
            top_p=top_p,
            samples=samples,
            beams=beams,
            max_new_tokens=max_new_tokens,
            batch_size=batch_size,
        ),
        merged=merged,
    )
    folder = runs / f"eval-{slug(name)}"
    with progress() as reporter:
        options = RunOptions(data_dir, workers, no_sandbox, reporter)
        scores = evaluate_model(experiment, adapter, folder, options)
    if as_json:
        print_json([as_row(score) for score in scores])
    else:
        out().print(score_table(scores, []))
        out().print(f"completions and verdicts: {folder}/evaluated", highlight=False, soft_wrap=True)
