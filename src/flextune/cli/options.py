"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

DataDir = Annotated[
    Optional[Path],  # noqa: UP045 - typer reads it at run time
    typer.Option(
        "--data-dir", help="Folder of benchmark files; else $FLEXTUNE_DATA, else the hub.", show_default=False
    ),
]
Runs = Annotated[Path, typer.Option("--runs", help="Folder that holds the runs.")]
Workers = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--workers", min=1, help="Programs to judge in parallel (default: one per core)."),
]
NoSandbox = Annotated[
    bool,
    typer.Option("--no-sandbox", help="Judge without a sandbox: programs run with your rights. Dangerous."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
#: What ``--benchmark`` takes.
BENCHMARKS = "rosetta, humaneval, humaneval-plus, multipl-e, multipl-e-mbpp, mbpp or apps."
Benchmark = Annotated[str, typer.Option("--benchmark", help=BENCHMARKS)]
Languages = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--language", help="py, java, js, ...; may be given several times."),
]
Lexicon = Annotated[str, typer.Option("--lexicon", help="base or reserved wording (rosetta).")]
Limit = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--limit", min=1, help="Evaluate only the first N problems."),
]
Temperature = Annotated[float, typer.Option("--temperature", min=0, help="0 decodes greedily.")]
TopP = Annotated[float, typer.Option("--top-p", help="Nucleus of sampling.")]
Completions = Annotated[int, typer.Option("--n", "--samples", min=1, help="Completions per problem.")]
NumBeams = Annotated[
    int, typer.Option("--num-beams", "--beams", min=0, help="Number of beams; 0 disables beam search.")
]
MaxNewTokens = Annotated[int, typer.Option("--max-new-tokens", min=1, help="Tokens per completion.")]
BatchSize = Annotated[int, typer.Option("--batch-size", min=1, help="Problems decoded at a time.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of the draws, 0 to 4294967295.")]
DType = Annotated[str, typer.Option("--dtype", help="float32, bfloat16 or float16.")]
