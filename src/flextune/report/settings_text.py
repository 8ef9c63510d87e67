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
    """What a ``train`` section learns from: ``Rosetta, Python, taught words``; a mixture's parts joined."""
    given = train.get("data") or ""
    return " + ".join(_part(part, train) for part in (given if isinstance(given, list) else [given]))


def _part(part: Any, train: Mapping[str, Any]) -> str:
    """One source: its share where it has one, and its languages and words, else the section's."""
    own: Mapping[str, Any] = part if isinstance(part, Mapping) else {"source": part}
    source = str(next((own[key] for key in ORIGINS if own.get(key)), ""))
    share = f"{100 * own['share']:.0f} % " if own.get("share") else ""
    languages = own.get("languages") or [own.get("language") or train.get("language")]
    lexicon = own.get("lexicon") or train.get("lexicon")
    has_lexicons = source in TRAINING_SOURCES and TRAINING_SOURCES.get(source).has_lexicons
    parts = [
        share + source_title(source),
        " and ".join(language_name(str(language)) for language in languages if language),
        lexicon_words(str(lexicon)) if has_lexicons and lexicon else "",
    ]
    return ", ".join(each for each in parts if each)


def pairs(section: Any) -> str:
    """``rank 8, alpha 16``; anything but a mapping as it is."""
    if not isinstance(section, dict):
        return str(section)
    texts = {key: plain(value) for key, value in section.items() if value is not None and value != []}
    return ", ".join(f"{key.replace('_', ' ')} {text}" for key, text in texts.items())


def plain(value: Any) -> str:
    """A number without its trailing zeros; the items of a list joined by ``+``; a section in brackets."""
    if isinstance(value, list):
        return " + ".join(map(plain, value))
    if isinstance(value, dict):
        return f"({pairs(value)})"
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
