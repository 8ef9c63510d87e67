"""Adapter folders: what is in them, and merging them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flextune.errors import FlextuneError
from flextune.progress import Reporter, Silent

if TYPE_CHECKING:
    from flextune.audit.spectra import AdapterSpectra
    from flextune.runner.merging.merge import MergeResult


def spectrum(
    adapter: Path | str,
    name: str | None = None,
    *,
    draws: int = 20,
    bins: int = 64,
    seed: int = 0,
    reporter: Reporter | None = None,
) -> AdapterSpectra:
    """Measure the spectra of an adapter's A, B and update, and of random orders and noise.

    Args:
        adapter: A LoRA folder in PEFT's format, trained anywhere.
        name: What to call it; the folder's name by default.
        draws: Draws of each null, for each module.
        bins: Largest number of points of a spectrum.
        seed: Seed of the draws.
        reporter: Told of each module.

    Raises:
        FlextuneError: No adapter there, or one without a spectrum.
    """
    from flextune.audit.spectra import adapter_spectra

    folder = Path(adapter)
    return adapter_spectra(
        folder, name or folder.name, draws=draws, bins=bins, seed=seed, reporter=reporter or Silent()
    )


def merge(
    adapter: Path | str,
    output: Path | str | None = None,
    *,
    base: str | None = None,
    dtype: str = "auto",
    onto: str = "weights",
    rounding: str = "nearest",
    seed: int = 0,
    audit: bool = False,
    against: Path | str | None = None,
    prompts: Path | str | None = None,
    benchmark: str | None = None,
    languages: Sequence[str] | str | None = None,
    lexicon: str = "base",
    limit: int | None = None,
    max_new_tokens: int = 128,
    compute: str = "float32",
    device: str = "auto",
    force: bool = False,
    data_dir: Path | str | None = None,
    workers: int | None = None,
    sandbox: bool = True,
    reporter: Reporter | None = None,
) -> MergeResult:
    """Merge an adapter into its base model, audit a merge, or both, as ``flextune merge`` does.

    Args:
        adapter: A PEFT folder, trained anywhere.
        output: Folder of the merged model; None: only audit.
        base: The base model; None: the one that the adapter was made for.
        dtype: Type of the merged weights: float32, bfloat16, float16, or auto: the base model's.
        onto: What the update is added to: weights, or those as they are in four bits: nf4, fp4.
        rounding: nearest or stochastic.
        seed: Seed of stochastic rounding.
        audit: Compare the answers of merged and unmerged model, not only the weights.
        against: Audit this merged model, made by any tool.
        prompts: A file of prompts to compare on; None: those of the adapter's run, or Rosetta's.
        benchmark: A benchmark to compare on; its programs are judged.
        languages: Languages of the benchmark.
        lexicon: Wording of the benchmark (Rosetta only).
        limit: Evaluate only the first N problems.
        max_new_tokens: Tokens of each greedy text.
        compute: Type in which both models compute.
        device: Where both models run.
        force: Accept another base model, and keep a merge that is different.
        data_dir: As for ``run``.
        workers: As for ``run``.
        sandbox: As for ``run``.
        reporter: As for ``run``.

    Returns:
        ``folder`` (None where nothing was kept, ``refused`` says whether it was to be) and ``audit``, with
        ``verdict``, ``reasons``, ``weights``, ``tokens`` and ``as_row()``.

    Raises:
        FlextuneError: Anything a user can mend.
    """
    from flextune.runner.merging.merge import audit_merge, merge_adapter_folder
    from flextune.runner.merging.request import merge_options

    if output is not None and against is not None:
        raise FlextuneError("output and against exclude each other: against audits a merge that is there")
    folder = Path(adapter).expanduser()
    options = merge_options(
        folder,
        base=base,
        dtype=dtype,
        onto=onto,
        rounding=rounding,
        seed=seed,
        force=force,
        answers=audit or against is not None,
        prompts=None if prompts is None else Path(prompts).expanduser(),
        benchmark=benchmark,
        languages=[languages] if isinstance(languages, str) else languages,
        lexicon=lexicon,
        limit=limit,
        max_new_tokens=max_new_tokens,
        compute=compute,
        device=device,
        data_dir=None if data_dir is None else Path(data_dir),
        workers=workers,
        sandbox=sandbox,
        reporter=reporter,
    )
    if output is None:
        return audit_merge(folder, None if against is None else Path(against).expanduser(), options)
    return merge_adapter_folder(folder, Path(output).expanduser(), options)
