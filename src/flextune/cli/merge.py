"""``flextune merge``: an adapter into the weights of its base model, and what that did to it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from flextune.cli import options as o
from flextune.cli.groups import grouped

if TYPE_CHECKING:
    from flextune.runner.merging.merge import MergeResult


@dataclass(frozen=True)
class HowToMerge:
    """The options that say what is written."""

    base: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Option("--base", help="Base model (default: the one that the adapter was made for)."),
    ] = None
    dtype: Annotated[
        str, typer.Option("--dtype", help="float32, bfloat16, float16, or auto: as the base model is stored.")
    ] = "auto"
    onto: Annotated[
        str,
        typer.Option(
            "--onto", help="Add the update to the base's weights, or to those through nf4 or fp4 (QLoRA)."
        ),
    ] = "weights"
    rounding: Annotated[
        str, typer.Option("--rounding", help="nearest, or stochastic (small updates survive on average).")
    ] = "nearest"
    seed: Annotated[int, typer.Option("--seed", help="Seed of stochastic rounding.")] = 0
    force: Annotated[
        bool, typer.Option("--force", help="Accept another base model, and keep a merge that is different.")
    ] = False


@dataclass(frozen=True)
class HowToAudit:
    """The options that say on what both models are compared."""

    audit: Annotated[bool, typer.Option("--audit", help="Run both models and compare their answers.")] = False
    against: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--against", help="Audit this merged model, made by any tool.", show_default=False),
    ] = None
    prompts: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--prompts", help="File of prompts (default: those of the adapter's run, or Rosetta's)."
        ),
    ] = None
    benchmark: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--benchmark", help=f"Also compare pass@1 on this benchmark: {o.BENCHMARKS}.", show_default=False
        ),
    ] = None
    languages: o.Languages = None
    lexicon: o.Lexicon = "base"
    limit: o.Limit = None
    max_new_tokens: Annotated[
        int, typer.Option("--max-new-tokens", min=1, help="Tokens of each greedy text.")
    ] = 128
    compute: Annotated[
        str, typer.Option("--compute", help="Type in which both models compute: float32, bfloat16, float16.")
    ] = "float32"


@grouped
def merge(
    adapter: Annotated[Path, typer.Argument(metavar="ADAPTER", help="A PEFT folder, trained anywhere.")],
    how: HowToMerge,
    audit: HowToAudit,
    output: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("-o", "--output", help="Folder of the merged model.", show_default=False),
    ] = None,
    data_dir: o.DataDir = None,
    workers: o.Workers = None,
    no_sandbox: o.NoSandbox = False,
    as_json: o.Json = False,
) -> None:
    """Merge an adapter into its base model, and say what that did.

    The weights are always checked; --audit also compares the answers of merged and unmerged model.

    Exit status: 0 equivalent, 3 drifted, 4 different. A different merge is written only with --force.
    """
    import flextune as ft
    from flextune.cli.terminal import progress
    from flextune.errors import FlextuneError

    if output is None and not audit.audit and audit.against is None:
        raise FlextuneError("nothing to do: give -o DIR to merge, --audit to see what merging does, or both")
    if output is not None and audit.against is not None:
        raise FlextuneError(
            "-o and --against exclude each other: --against audits a merge that is there already"
        )
    with progress() as reporter:
        result = ft.merge(
            adapter,
            output,
            **asdict(how),
            **asdict(audit),
            data_dir=data_dir,
            workers=workers,
            sandbox=not no_sandbox,
            reporter=reporter,
        )
    _show(result, as_json)
    raise typer.Exit(result.audit.exit_code)


def _show(result: MergeResult, as_json: bool) -> None:
    from flextune.cli.terminal import out, print_json, print_line
    from flextune.report.merging import audit_lines, layer_table

    if as_json:
        folder = None if result.folder is None else str(result.folder)
        print_json({**result.audit.as_row(), "folder": folder, "refused": result.refused})
        return
    out().print(layer_table(result.audit.as_row()))
    for line in audit_lines(result.audit.as_row()):
        print_line(line)
    if result.refused:
        typer.echo("refused: nothing was written; --force keeps it all the same")
    elif result.folder is not None and result.audit.merged:
        typer.echo(f"merged model: {result.folder}")
