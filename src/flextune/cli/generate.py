"""``flextune generate``: completions of a model for a benchmark, without judging them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flextune.cli import options as o


def generate(
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL[+ADAPTER]", help="rosetta, a folder or a hub id; then a PEFT folder."),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Completions, one JSON line each.")],
    benchmark: o.Benchmark = "rosetta",
    language: Annotated[str, typer.Option("--language", help="py, java, js, ...")] = "py",
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
    as_json: o.Json = False,
) -> None:
    """Write completions, and the problems beside them (OUTPUT.problems.jsonl), for `flextune judge`."""
    from flextune.cli.requests import decode_request, evaluation_request, split_model
    from flextune.cli.terminal import print_json, progress
    from flextune.runner.generate_file import generate_alone

    name, adapter = split_model(model)
    experiment = evaluation_request(
        name,
        benchmark=benchmark,
        languages=[language],
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
    with progress() as reporter:
        written = generate_alone(experiment, adapter, output, data_dir=data_dir, reporter=reporter)
    if as_json:
        print_json({"completions": written, "file": str(output)})
    else:
        typer.echo(f"{written} completions in {output}")
