"""An experiment that evaluates one model and trains nothing: what ``eval`` and ``generate`` ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flextune.config import EMBEDDED_MODEL, DecodeConfig, Experiment
from flextune.config.validation import SettingError, validate
from flextune.files.names import slug
from flextune.generation.prompts.template import anywhere
from flextune.languages import canonical, separated
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
    generate: Mapping[str, Any] | None = None,
    server: Mapping[str, Any] | None = None,
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
        generate: More keys of the section ``generate``: ``prompt``, ``token_healing``, ``stops``.
        server: The keys of ``generate.server``: a server has the model; None: it is decoded here.

    Raises:
        SettingError: A value that an experiment file could not hold either.
        FlextuneError: No benchmark, or no such model.
    """
    if benchmark is None and model != EMBEDDED_MODEL:
        raise SettingError("benchmark", f"{{key}}: needed for {model}: {', '.join(BENCHMARKS.names())}")
    spelled = dict.fromkeys(map(canonical, separated(languages)))
    if not spelled:
        raise SettingError("language", "{key}: none is given; py, java, js, ...")
    part = {"benchmark": benchmark or EMBEDDED_MODEL, "lexicon": lexicon, "limit": limit}
    folder = None if adapter is None else str(Path(adapter).expanduser().absolute())
    asked = {**(generate or {}), "adapter": folder, "export": "merged" if merged else "adapter"}
    if "prompt" in asked:
        asked["prompt"] = anywhere(asked["prompt"])
    if server is not None:
        asked |= {"engine": "server", "server": dict(server)}
    raw = {
        "name": slug(model),
        "model": model,
        "dtype": dtype if dtype != "auto" else _dtype(model, served=server is not None),
        "train": None,
        "generate": asked,
        "seeds": [seed],
        "decode": [decode or {}],
        "evaluate": [{**part, "language": language} for language in spelled],
    }
    return validate(Experiment, raw)


def _dtype(model: str, *, served: bool) -> str:
    """The type of a model's weights; one that a server has need not be on this machine."""
    return "float32" if served else stored_dtype(model)
