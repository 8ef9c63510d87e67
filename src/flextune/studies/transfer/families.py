"""Arms that differ in one number alone: one way to hold an update back, at several strengths.

Families come from the settings of the arms and not from their names. An arm without what a family varies (no
penalty, no divergence) is where that family begins, so one plain arm begins several families.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flextune.config.sections.penalty import read_penalty
from flextune.report.run_data import RunData
from flextune.report.settings_text import pairs, plain, setting_name
from flextune.studies.scores.copies import copies

#: What an arm's answers come from. The rest of an experiment says what is asked, and how it is judged.
SECTIONS = ("model", "dtype", "quantization", "adapter", "train", "optimizer", "penalty", "generate")
#: Keys that families are looked for by, before all others.
FIRST = (
    "penalty.strength",
    "generate.scale",
    "train.max_steps",
    "train.kl.weight",
    "train.replay.share",
    "train.epochs",
    "train.learning_rate",
)
#: What a key stands at where its section is missing; any other limit that is not set is infinitely wide.
WHEN_MISSING = {"penalty.strength": 0.0, "train.kl.weight": 0.0, "train.replay.share": 0.0}
#: What a family is called by the key that it varies; others have the key's own name.
NAMES = {
    "generate.scale": "scaled adapter",
    "train.max_steps": "steps",
    "train.kl.weight": "KL to the base model",
    "train.replay.share": "replay",
    "train.early_stopping.patience": "early stopping",
}
PENALTY = "penalty.strength"
#: The penalty that others are compared with.
FOURIER = "fourier"

Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Family:
    """Arms that differ in one number.

    Attributes:
        name: What it is called.
        key: The key that differs; empty for an arm that is alone.
        arms: In the order of their strength.
        values: The number of each; inf where no limit is set; empty for an arm that is alone.
        fourier: Whether it is the paper's penalty at several strengths.
    """

    name: str
    key: str
    arms: tuple[str, ...]
    values: tuple[float, ...] = ()
    fourier: bool = False


def run_families(run: RunData, arms: Sequence[str]) -> list[Family]:
    """The families of some arms of a run; an arm that has none is one of its own.

    Args:
        run: The run.
        arms: In the order of the page.
    """
    settings = _settings(run)
    # A merged twin is no family of its own.
    copied = copies(run.scores, run.labels)
    arms = [arm for arm in arms if arm not in copied]
    return families({arm: settings[arm] for arm in arms if arm in settings}, arms, _searched(run))


def families(
    settings: Mapping[str, Settings], arms: Sequence[str], ignored: Iterable[str] = ()
) -> list[Family]:
    """The families among arms.

    Each family brings an arm that no other one has. Where arms differ in several keys, those of ``FIRST``
    count first, and of one key's families the largest.

    Args:
        settings: Of each arm whose settings are known, resolved.
        arms: All of them, in the order of the page.
        ignored: Keys that were searched for each arm: a difference in them is none.
    """
    rows = {arm: _flat(row, set(ignored)) for arm, row in settings.items()}
    taken: set[str] = set()
    found: list[Family] = []
    for key in _keys(rows.values()):
        groups = sorted(_groups(rows, key), key=len, reverse=True)
        for group in groups:
            if set(group) - taken:
                taken.update(group)
                found.append(_family(key, group, settings))
    found += [Family(arm, "", (arm,)) for arm in arms if arm not in taken]
    return _named_apart(sorted(found, key=lambda family: min(map(arms.index, _own(family, found)))))


def _own(family: Family, found: Sequence[Family]) -> list[str]:
    """The arms that no other family has, or else all."""
    others = {arm for other in found if other is not family for arm in other.arms}
    return [arm for arm in family.arms if arm not in others] or list(family.arms)


def own_arms(family: Family, others: Iterable[Family]) -> tuple[str, ...]:
    """Its arms without those that one of the others has too."""
    shared = {arm for other in others if other is not family for arm in other.arms}
    return tuple(arm for arm in family.arms if arm not in shared)


def _settings(run: RunData) -> dict[str, Settings]:
    """Settings of every arm that trains, with what was matched set; empty without an experiment."""
    if run.experiment is None:
        return {}
    matched = run.run.matched.get("arms") or {}
    rows: dict[str, Settings] = {}
    for arm in run.experiment.resolved_arms():
        if arm.train is None:
            continue
        row = arm.model_dump(mode="json", include=set(SECTIONS))
        if arm.name in matched:
            _set(row, str(matched[arm.name]["setting"]), matched[arm.name]["value"])
        rows[arm.name] = row
    return rows


def _searched(run: RunData) -> set[str]:
    tuned = run.tuned.get("arms") or {}
    return {key for search in tuned.values() for key in search.get("settings") or {}}


def _set(row: dict[str, Any], key: str, value: Any) -> None:
    *sections, name = key.split(".")
    for section in sections:
        row = row[section]
    row[name] = value


def _flat(settings: Settings, ignored: set[str], prefix: str = "") -> dict[str, Any]:
    """Dotted keys to values; a list is one value, a missing section None."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping):
            flat |= _flat(value, ignored, f"{key}.")
        elif key not in ignored:
            flat[key] = value
    return flat


def _keys(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Every key that is a number in some arm; those of ``FIRST`` first."""
    numeric = {key for row in rows for key, value in row.items() if _is_number(value)}
    return [key for key in FIRST if key in numeric] + sorted(numeric - set(FIRST))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _groups(rows: Mapping[str, Mapping[str, Any]], key: str) -> Iterator[dict[str, float]]:
    """Arms that differ in one key alone, with its value; two of equal settings are one, the first."""
    alike: dict[str, dict[str, float]] = {}
    rests: dict[str, dict[str, Any]] = {}
    for arm, row in rows.items():
        if key in row and (_is_number(row[key]) or row[key] is None):
            rest = {name: value for name, value in row.items() if name != key}
            text = json.dumps(rest, sort_keys=True)
            value = _missing(key) if row[key] is None else float(row[key])
            group = alike.setdefault(text, {})
            rests[text] = rest
            if value not in group.values():
                group[arm] = value
    for text, group in alike.items():
        origin = _origin(rows, key, rests[text])
        if origin is not None and _missing(key) not in group.values():
            group = {origin: _missing(key), **group}
        if len(group) > 1:
            yield group


def _origin(rows: Mapping[str, Mapping[str, Any]], key: str, rest: Mapping[str, Any]) -> str | None:
    """The arm that lacks the section of a key and has all other settings of ``rest``."""
    section = key.rpartition(".")[0]
    if not section:
        return None
    without = {name: value for name, value in rest.items() if not name.startswith(f"{section}.")}
    wanted = {**without, section: None}
    return next((arm for arm, row in rows.items() if row == wanted), None)


def _missing(key: str) -> float:
    return WHEN_MISSING.get(key, math.inf)


def _family(key: str, group: Mapping[str, float], settings: Mapping[str, Settings]) -> Family:
    arms = sorted(group, key=lambda arm: group[arm])
    name, fourier = NAMES.get(key, setting_name(key)), False
    if key == PENALTY:
        penalty = next(row for arm in arms if (row := settings[arm].get("penalty")))
        name, fourier = _penalty_name(penalty), penalty.get("kind") == FOURIER
    return Family(name, key, tuple(arms), tuple(group[arm] for arm in arms), fourier)


def _penalty_name(penalty: Mapping[str, Any]) -> str:
    """Its kind, and what differs from the kind's defaults."""
    given = read_penalty(penalty).given()
    kind = str(penalty.get("kind", FOURIER))
    options = {key: value for key, value in given.items() if key not in ("kind", "strength")}
    return f"{kind} ({pairs(options)})" if options else kind


def _named_apart(found: Sequence[Family]) -> list[Family]:
    """Of families of one name the largest keeps it; others get the name of an arm that only they have."""
    apart = []
    for family in found:
        largest = max((other for other in found if other.name == family.name), key=lambda one: len(one.arms))
        own = "" if family is largest else f" ({_own(family, found)[0]})"
        apart.append(replace(family, name=family.name + own))
    return apart


def value_text(family: Family, arm: str) -> str:
    """The number that sets an arm apart in its family: ``0.005``; empty for an arm that is alone."""
    if arm not in family.arms or not family.values:
        return ""
    value = family.values[family.arms.index(arm)]
    return "no limit" if math.isinf(value) else plain(float(value))
