"""The one way to set keys of an experiment: arms, the command line, ``--quick``, tuning and searches use it.

Everything happens on the raw mapping, before it is checked: mappings are merged key by key, at every depth;
anything else (a list, a number, null) replaces what was there. Some sections know better than that: an
optimizer of another name, a penalty's preset, and training data or a start from elsewhere begin afresh.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import yaml

from flextune.config.sections.data import ORIGINS
from flextune.config.sections.optimizer import merge_optimizers
from flextune.config.sections.penalty import merge_penalties
from flextune.config.sections.start import STARTS
from flextune.config.strict_yaml import RepeatedKey, load_yaml
from flextune.errors import FlextuneError, did_you_mean

Raw = Mapping[str, Any]

#: Keys of the section ``train`` to those of their own keys that say that it is another one.
_AFRESH = {"data": ORIGINS, "start": STARTS}


def _merge_train(base: Raw, override: Raw) -> dict[str, Any]:
    """A part of data or a start of another origin keeps nothing of the one before."""
    given = {key: value for key, value in override.items() if key in _AFRESH and isinstance(value, Mapping)}
    another = {key for key, value in given.items() if {*_AFRESH[key]} & {*value}}
    return _merged_deeply({key: value for key, value in base.items() if key not in another}, override)


_SECTIONS: dict[str, Callable[[Raw, Raw], dict[str, Any]]] = {
    "optimizer": merge_optimizers,
    "penalty": merge_penalties,
    "train": _merge_train,
}


def merged(base: Raw, override: Raw) -> dict[str, Any]:
    """A raw experiment with the keys of ``override`` set in it, at every depth.

    Args:
        base: Stays as it is.
        override: For example an arm's settings: ``{"train": {"kl": {"tokens": "all"}}}``.
    """
    return {**base, **{key: _merged_value(key, base.get(key), value) for key, value in override.items()}}


def _merged_value(key: str, old: Any, new: Any) -> Any:
    if not isinstance(new, Mapping):
        return new
    # A section that was off is switched on with its defaults.
    old = old if isinstance(old, Mapping) else {}
    return _SECTIONS[key](old, new) if key in _SECTIONS else _merged_deeply(old, new)


def _merged_deeply(old: Raw, new: Raw) -> dict[str, Any]:
    result = dict(old)
    for key, value in new.items():
        there = result.get(key)
        result[key] = (
            _merged_deeply(there if isinstance(there, Mapping) else {}, value)
            if isinstance(value, Mapping)
            else value
        )
    return result


def nested(settings: Raw) -> dict[str, Any]:
    """Dotted keys as a raw mapping: ``{"train.epochs": 1}`` is ``{"train": {"epochs": 1}}``."""
    result: dict[str, Any] = {}
    for path, value in settings.items():
        for key in reversed(path.split(".")):
            value = {key: value}
        result = _merged_deeply(result, value)
    return result


def set_key(raw: dict[str, Any], path: str, value: Any) -> None:
    """Set ``a.b.0.c`` inside a raw experiment.

    Items of a list are named by number, arms and others also by their ``name``. A mapping is merged into the
    one that is there.

    Raises:
        FlextuneError: The path runs through something that has no keys, or a list without that item.
    """
    keys = path.split(".")
    for depth in range(1, len(keys)):
        here = ".".join(keys[:depth])
        there = _at(raw, keys[:depth])
        if isinstance(there, list):
            path, value = here, _with_item(there, keys[depth], keys[depth + 1 :], value, path)
            break
        if there is not None and not isinstance(there, Mapping):
            raise FlextuneError(f"{path}: {here} has no keys of its own")
    raw.update(merged(raw, nested({path: value})))


def _at(raw: Any, keys: list[str]) -> Any:
    """What lies at a path, or None."""
    for key in keys:
        raw = raw.get(key) if isinstance(raw, Mapping) else None
    return raw


def _with_item(items: list[Any], key: str, rest: list[str], value: Any, path: str) -> list[Any]:
    """A list with one item set, or with a key of that item set."""
    place = _place(items, key, path)
    if rest:
        if not isinstance(items[place], Mapping):
            raise FlextuneError(f"{path}: item {key} has no keys of its own")
        item = dict(items[place])
        set_key(item, ".".join(rest), value)
        value = item
    elif isinstance(value, Mapping) and isinstance(items[place], Mapping):
        value = merged(items[place], value)
    return [*items[:place], value, *items[place + 1 :]]


def _place(items: list[Any], key: str, path: str) -> int:
    """A list's item by number, or by the ``name`` it carries."""
    for position, item in enumerate(items):
        if isinstance(item, Mapping) and item.get("name") == key:
            return position
    if key.isdecimal() and int(key) < len(items):
        return int(key)
    names = [str(item["name"]) for item in items if isinstance(item, Mapping) and "name" in item]
    there = f"there are {', '.join(names)}" if names else f"it has {len(items)}, numbered from 0"
    raise FlextuneError(f"{path}: no item {key!r} in that list{did_you_mean(key, names)} ({there})")


def assignment(text: str) -> tuple[str, Any]:
    """``key.path=value`` of a command line as path and value; values are YAML.

    Raises:
        FlextuneError: It is no assignment, or its value is not valid YAML.
    """
    path, equals, value = text.partition("=")
    if not equals or not path:
        raise FlextuneError(f"{text!r}: an override is key.path=value, for example train.epochs=1")
    try:
        return path, load_yaml(value)
    except RepeatedKey as error:
        raise FlextuneError(f"{text!r}: {error.problem}") from error
    except yaml.YAMLError as error:
        raise FlextuneError(
            f"{text!r}: the value is not valid YAML; quote the whole override for the shell"
        ) from error
