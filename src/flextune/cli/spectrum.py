"""``flextune spectrum``: what an adapter's weights look like by frequency, beside what chance gives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from flextune.cli import options as o

if TYPE_CHECKING:
    from flextune.audit.spectra import AdapterSpectra


def spectrum(
    adapters: Annotated[
        list[str],
        typer.Argument(
            metavar="ADAPTER", help="PEFT LoRA folders, each as FOLDER or NAME=FOLDER.", show_default=False
        ),
    ],
    layers: Annotated[
        bool, typer.Option("--layers", help="Print a line per layer instead of one per module type.")
    ] = False,
    draws: Annotated[int, typer.Option("--draws", min=19, help="Draws of each null per module.")] = 20,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the draws.")] = 0,
    figures: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option("--figures", help="Folder for the figures.", show_default=False),
    ] = None,
    formats: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--format",
            help="Format of the figures: html (default), png, pdf or svg; repeatable.",
            show_default=False,
        ),
    ] = None,
    as_json: o.Json = False,
) -> None:
    """Show the spectra of adapters' A, B and update, next to random orders of them and to noise.

    Any LoRA folder in PEFT's format works, whatever tool trained it; its base model is not needed.
    """
    from flextune.audit.spectra import adapter_spectra
    from flextune.cli.terminal import print_json, progress
    from flextune.errors import FlextuneError
    from flextune.files.output import check_new_folder
    from flextune.report.charts.files import check_formats, write_figures

    if figures is not None:
        check_new_folder(figures, "--figures")
    elif formats:
        raise FlextuneError("--format is for figures: give --figures DIR")
    kinds = check_formats(formats or ["html"])
    folders = _named(adapters)
    with progress() as reporter:
        found = [
            adapter_spectra(folder, name, draws=draws, seed=seed, reporter=reporter)
            for name, folder in folders.items()
        ]
        if figures:
            for path in write_figures(_figures(found), figures, kinds):
                reporter.note(f"wrote {path}")
    if as_json:
        print_json({"draws": draws, "seed": seed, "adapters": [one.as_row() for one in found]})
    else:
        _print(found, layers)


def _named(given: list[str]) -> dict[str, Path]:
    """Names to folders.

    Without a name given, arm and seed of a run's adapter; else, and where two would be called the same, the
    shortest end of the path that tells it from the others.

    Raises:
        FlextuneError: Two adapters of one name.
    """
    from flextune.errors import FlextuneError
    from flextune.lora_names import shortest_end

    split = [_split(text) for text in given]
    paths = [folder.absolute().parts for name, folder in split if not name]
    arms = [name or _arm_of(folder) for name, folder in split]
    found: dict[str, Path] = {}
    for (name, folder), arm in zip(split, arms, strict=True):
        known = arm if arms.count(arm) == 1 else ""
        label = name or known or str(Path(*shortest_end(folder.absolute().parts, paths)))
        if label in found:
            raise FlextuneError(
                f"two adapters are called {label!r}: give each a name, as in first={found[label]}"
                f" second={folder}"
            )
        found[label] = folder
    return found


def _arm_of(folder: Path) -> str:
    """``lora seed 0`` for an adapter that a run trained and scored; else empty."""
    from flextune.errors import FlextuneError
    from flextune.runs import layout
    from flextune.runs.run import Run

    training, kind = folder.absolute().parent, folder.absolute().parent.parent
    run = Run(kind.parent)
    if kind.name != layout.TRAINED or not run.scores_file.is_file():
        return ""
    try:
        scores = run.scores.scores
    except FlextuneError:
        return ""
    seeds = (
        (score.arm, seed) for score in scores for seed, key in score.trainings.items() if key == training.name
    )
    return next((f"{arm} seed {seed}" for arm, seed in seeds), "")


def _split(text: str) -> tuple[str, Path]:
    name, equals, folder = text.partition("=")
    return ("", Path(text)) if not equals or Path(text).exists() else (name, Path(folder))


def _figures(found: list[AdapterSpectra]) -> dict[str, Any]:
    from flextune.report.spectra.layers import draw_layers, layer_curves
    from flextune.report.spectra.power import draw_power, power_curves

    power = power_curves({one.adapter: one.types for one in found})
    layers = layer_curves({one.adapter: one.rows for one in found})
    figures = {"power": draw_power(power)} if power else {}
    return {**figures, "layers": draw_layers(layers)} if layers else figures


def _print(found: list[AdapterSpectra], layers: bool) -> None:
    from flextune.cli.terminal import out
    from flextune.report.spectra.tables import NOTE, spectrum_tables

    console = out()
    for one in found:
        typer.echo("\n".join(_about(one)))
    for table in spectrum_tables({one.adapter: one.rows if layers else one.types for one in found}):
        console.print()
        console.print(table)
    console.print()
    typer.echo(NOTE)


def _about(one: AdapterSpectra) -> list[str]:
    from flextune.report.formats import count
    from flextune.report.spectra.tables import summary

    modules = {row["name"]: row for row in one.rows}
    layers = {row["layer"] for row in modules.values()} - {None}
    ranks = sorted({row["rank"] for row in modules.values()})
    parts = [count(len(modules), "module"), count(len(layers), "layer"), f"rank {', '.join(map(str, ranks))}"]
    lines = [f"{one.adapter}: {', '.join(parts)}"]
    lines.append(f"  {summary(one.types)}")
    if one.base_model:
        lines.append(f"  made for {one.base_model}")
    if one.start:
        lines.append(f"  start {one.start}: A and B hold base weights; B A is not what training changed")
    for kind, names in one.passed_over.items():
        more = ", ..." if len(names) > 2 else ""
        lines.append(f"  passed over: {kind} of {', '.join(names[:2])}{more} ({len(names)})")
    return lines
