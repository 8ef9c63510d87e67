"""Experiment files: YAML in, overrides applied, and back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from flextune.config.experiment import Experiment
from flextune.config.validation import validate
from flextune.errors import FlextuneError


def load_experiment(path: Path, overrides: Iterable[str] = ()) -> Experiment:
    """Read an experiment file and apply ``key.path=value`` overrides (values are YAML).

    Raises:
        FlextuneError: Naming file and key; unknown keys with the nearest known one.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise FlextuneError(f"{path}: cannot read the experiment file ({reason})") from error
    return parse_experiment(text, where=str(path), overrides=overrides)


def parse_experiment(text: str, *, where: str, overrides: Iterable[str] = ()) -> Experiment:
    """As ``load_experiment``, from text; ``where`` names the source in errors."""
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise FlextuneError(f"{where}{line}: not valid YAML ({getattr(error, 'problem', error)})") from error
    if not isinstance(raw, dict):
        raise FlextuneError(f"{where}: an experiment is a mapping of keys (found: {type(raw).__name__})")
    for override in overrides:
        apply_override(raw, override)
    return validate(Experiment, raw, where=where)


def apply_override(raw: dict[str, Any], override: str) -> None:
    """Set ``a.b.0.c=value`` inside a raw experiment; a list replaces a list.

    Raises:
        FlextuneError: If it is not ``key=value``, or the path runs through something that has no keys.
    """
    path, equals, value = override.partition("=")
    if not equals or not path:
        raise FlextuneError(f"{override!r}: an override is key.path=value, for example train.epochs=1")
    try:
        parsed = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise FlextuneError(f"{override!r}: the value is not valid YAML") from error
    keys = path.split(".")
    node: Any = raw
    for depth, key in enumerate(keys):
        last = depth == len(keys) - 1
        index: Any = key
        if isinstance(node, list):
            index = _list_index(node, key, override)
        elif not isinstance(node, dict):
            raise FlextuneError(f"{override!r}: {'.'.join(keys[:depth])} has no keys of its own")
        if last:
            node[index] = parsed
        elif isinstance(node, dict):
            if node.get(key) is None:
                node[key] = {}
            node = node[key]
        else:
            node = node[index]


def _list_index(node: list[Any], key: str, override: str) -> int:
    """A list's item by number, or by the ``name`` it carries (arms)."""
    for position, item in enumerate(node):
        if isinstance(item, dict) and item.get("name") == key:
            return position
    if key.isdigit() and int(key) < len(node):
        return int(key)
    raise FlextuneError(f"{override!r}: no item {key!r} in that list of {len(node)}")


def dump_experiment(experiment: Experiment) -> str:
    """The fully resolved YAML: reading it back gives an equal experiment."""
    # JSON mode turns every value into one that YAML writes without tags.
    return yaml.safe_dump(experiment.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=100)
