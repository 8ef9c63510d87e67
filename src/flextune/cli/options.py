"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from flextune.cli.commands import Command
from flextune.registry import BENCHMARKS as REGISTERED

DataDir = Annotated[
    Optional[Path],  # noqa: UP045 - typer reads it at run time
    typer.Option(
        "--data-dir",
        help="Folder of benchmark files (default: $FLEXTUNE_DATA, then the hub).",
        show_default=False,
    ),
]
Runs = Annotated[Path, typer.Option("--runs", help="Folder that holds the runs.")]
Workers = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--workers", min=1, help="Programs to judge in parallel (default: one per core)."),
]
Cluster = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="Work on a Ray cluster: HOST:PORT, auto, or local; a task gets --workers CPUs (default: 1).",
        show_default=False,
    ),
]
NoSandbox = Annotated[
    bool,
    typer.Option("--no-sandbox", help="Judge without a sandbox: programs run with your rights. Dangerous."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
#: Stands in a help text for the names that ``--benchmark`` takes; see ``BenchmarkCommand``.
BENCHMARKS = "{benchmarks}"
Benchmark = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--benchmark", help=f"{BENCHMARKS}; may be left out for the model rosetta.", show_default=False
    ),
]
#: Help of an argument ``MODEL[+ADAPTER]``.
MODEL = "rosetta, a folder, hub id or GGUF; then a PEFT folder."
Languages = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--language", help="py, java, c++, ...; repeatable, or separated by commas."),
]
Lexicon = Annotated[
    str, typer.Option("--lexicon", help="Wording of the problems, base or reserved (rosetta only).")
]
Limit = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--limit", min=1, help="Evaluate only the first N problems."),
]
Temperature = Annotated[
    float, typer.Option("--temperature", min=0, help="Sampling temperature; 0 decodes greedily.")
]
TopP = Annotated[
    float, typer.Option("--top-p", help="Sample among the likeliest tokens of this total probability.")
]
Completions = Annotated[int, typer.Option("--n", min=1, help="Completions per problem.")]
NumBeams = Annotated[int, typer.Option("--num-beams", min=0, help="Number of beams; 0 disables beam search.")]
MaxNewTokens = Annotated[int, typer.Option("--max-new-tokens", min=1, help="Tokens per completion.")]
TopK = Annotated[int, typer.Option("--top-k", min=0, help="Sample among the N likeliest tokens; 0: all.")]
MinP = Annotated[
    float,
    typer.Option("--min-p", min=0, help="Leave out tokens less likely than this share of the likeliest."),
]
RepetitionPenalty = Annotated[
    float,
    typer.Option("--repetition-penalty", help="Divide the logits of tokens that already occurred; 1: off."),
]
LengthPenalty = Annotated[
    float, typer.Option("--length-penalty", help="Divide a beam's score by its length to this power.")
]
BatchSize = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--batch-size", min=1, help="Texts to decode together (default: as many as memory allows)."),
]
Prompt = Annotated[
    str,
    typer.Option("--prompt", help="How problems are posed: completion, chat, few-shot, ..., or a FILE.yaml."),
]
TokenHealing = Annotated[
    bool,
    typer.Option("--token-healing", help="Let longer tokens replace the prompt's last ones."),
]
Stops = Annotated[
    str,
    typer.Option("--stops", help="benchmark; or program: also keep and judge helpers that follow."),
]
Seed = Annotated[int, typer.Option("--seed", help="Seed of sampling, 0 to 4294967295.")]
DType = Annotated[
    str, typer.Option("--dtype", help="float32, bfloat16, float16, or auto: as the model is stored.")
]

# What decides a verdict beside the limits.
Tolerance = Annotated[
    float,
    typer.Option(
        "--tolerance",
        min=0,
        max=0.5,
        help="How far a printed number may be from a fraction that a case expects; 0 compares texts.",
    ),
]
SitePackages = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--site-packages",
        metavar="DIR",
        help="Packages that Python programs may import: an environment, its site-packages, or a folder of "
        "pip install --target.",
        show_default=False,
    ),
]


class BenchmarkCommand(Command):
    """A command whose help lists the registered benchmarks; they are looked up only when it is shown."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help page with the benchmarks' names in place of ``BENCHMARKS``."""
        names = ", ".join(REGISTERED.names())
        for parameter in self.params:
            text = getattr(parameter, "help", None)
            if text:
                parameter.help = text.replace(BENCHMARKS, names)  # type: ignore[attr-defined]
        super().format_help(ctx, formatter)
