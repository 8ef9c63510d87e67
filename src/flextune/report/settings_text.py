"""Settings as text, for people who did not write the experiment file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flextune.config.sections.data import ORIGINS
from flextune.config.sections.optimizer import read_optimizer
from flextune.errors import FlextuneError
from flextune.languages import language_name
from flextune.registry import TRAINING_SOURCES
from flextune.report.labels import lexicon_words, source_title


def training_data(train: Mapping[str, Any]) -> str:
    """What a ``train`` section learns from: ``Rosetta, Python, taught words``."""
    given = train.get("data") or ""
    if isinstance(given, list):
        return " + ".join(map(_part, given))
    data = _part(given) if isinstance(given, Mapping) else str(given)
    parts = [source_title(data)]
    if "language" in train:
        parts.append(language_name(str(train["language"])))
    if data in TRAINING_SOURCES and TRAINING_SOURCES.get(data).has_lexicons and train.get("lexicon"):
        parts.append(lexicon_words(str(train["lexicon"])))
    return ", ".join(part for part in parts if part)


def _part(part: Any) -> str:
    """One part of a mixture: its source, and its share where it has one."""
    if not isinstance(part, Mapping):
        return source_title(str(part))
    name = source_title(str(next((part[key] for key in ORIGINS if part.get(key)), "")))
    return f"{part['share']:.0%} {name}" if part.get("share") else name


def pairs(section: Any) -> str:
    """``rank 8, alpha 16``; anything but a mapping as it is."""
    if not isinstance(section, dict):
        return str(section)
    texts = {key: plain(value) for key, value in section.items() if value is not None and value != []}
    return ", ".join(f"{key.replace('_', ' ')} {text}" for key, text in texts.items())


def plain(value: Any) -> str:
    """A number without its trailing zeros; the items of a list joined by ``+``."""
    if isinstance(value, list):
        return " + ".join(map(plain, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def setting_name(key: str) -> str:
    """``train.learning_rate`` is ``learning rate``."""
    return key.rpartition(".")[2].replace("_", " ")


def optimizer_options(optimizer: Mapping[str, Any]) -> dict[str, Any]:
    """The options that are not the defaults of the optimizer's name; all of one that is not known here."""
    try:
        names = set(read_optimizer(optimizer).given())
    except (ValueError, FlextuneError):
        names = set(optimizer)
    return {key: value for key, value in optimizer.items() if key in names - {"name"}}
