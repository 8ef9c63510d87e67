"""An experiment that evaluates one model and trains nothing: what ``eval`` and ``generate`` ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flextune.config import EMBEDDED_MODEL, DecodeConfig, Experiment
from flextune.config.validation import SettingError, validate
from flextune.files.names import slug
from flextune.languages import canonical
from flextune.models.dtypes import stored_dtype
from flextune.registry import BENCHMARKS


def model_request(
    model: str,
    *,
    adapter: Path | str | None = None,
    merged: bool = False,
    benchmark: str | None = None,
    languages: Sequence[str] | str = ("py",),
    lexicon: str = "base",
    limit: int | None = None,
    decode: DecodeConfig | Mapping[str, Any] | None = None,
    dtype: str = "auto",
    seed: int = 0,
) -> Experiment:
    """The request as an experiment; its name is the model's.

    Args:
        model: ``rosetta``, a folder, a hub id or a GGUF file.
        adapter: A PEFT folder, trained anywhere.
        merged: Merge the adapter into the weights.
        benchmark: Its name; may be left out for the embedded model alone.
        languages: Short names, or spelled out; with commas between several; one that comes twice counts once.
        lexicon: Wording of the descriptions (Rosetta only).
        limit: Only the first N problems.
        decode: The keys of a ``decode`` section; None: greedy.
        dtype: Type of the weights; auto: as the model is stored.
        seed: Of the draws.

    Raises:
        SettingError: A value that an experiment file could not hold either.
        FlextuneError: No benchmark, or no such model.
    """
    if benchmark is None and model != EMBEDDED_MODEL:
        raise SettingError("benchmark", f"{{key}}: needed for {model}: {', '.join(BENCHMARKS.names())}")
    given = [languages] if isinstance(languages, str) else languages
    spelled = [name for text in given for name in text.split(",")]
    part = {"benchmark": benchmark or EMBEDDED_MODEL, "lexicon": lexicon, "limit": limit}
    folder = None if adapter is None else str(Path(adapter).expanduser().absolute())
    raw = {
        "name": slug(model),
        "model": model,
        "dtype": stored_dtype(model) if dtype == "auto" else dtype,
        "train": None,
        "generate": {"adapter": folder, "export": "merged" if merged else "adapter"},
        "seeds": [seed],
        "decode": [decode or {}],
        "evaluate": [{**part, "language": language} for language in dict.fromkeys(map(canonical, spelled))],
    }
    return validate(Experiment, raw)
