"""Arms that use the same adapters in different ways, each beside the one that uses them unmerged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flextune.records import Comparison, Score
from flextune.report.run_data import RunData
from flextune.statistics.summary import compare
from flextune.statistics.tally import setting


@dataclass(frozen=True)
class Form:
    """One arm in one setting.

    Attributes:
        score: Of the arm.
        words: How it uses the adapter: ``merged, bfloat16``.
        merged: Whether the adapter is in the weights.
        faulty: Whether it was merged wrongly on purpose.
        test: Against the unmerged adapter in the same setting; None for that one itself.
        changed: Share of the texts that are not the unmerged adapter's; None where texts are drawn.
    """

    score: Score
    words: str
    merged: bool
    faulty: bool
    test: Comparison | None
    changed: float | None


@dataclass(frozen=True)
class Group:
    """The forms of the same adapters in one setting.

    Attributes:
        setting: Benchmark, language, lexicon, decoding.
        forms: The unmerged one first.
    """

    setting: tuple[str, str, str | None, str]
    forms: tuple[Form, ...]


def merging_groups(run: RunData) -> list[Group]:
    """The groups of a run in which an adapter is used in more than one way; [] in most runs."""
    by_place: dict[Any, list[Score]] = {}
    for score in sorted(run.scores, key=run.labels.sort_key):
        trainings = {key for key in score.trainings.values() if key is not None}
        if trainings:
            by_place.setdefault((setting(score), frozenset(trainings)), []).append(score)
    groups = []
    for (where, _), scores in by_place.items():
        settings = {score.arm: _settings(score, run) for score in scores}
        plain = next((score for score in scores if _is_plain(settings[score.arm])), None)
        others = [score for score in scores if score is not plain and not _is_plain(settings[score.arm])]
        if plain is not None and others:
            forms = [_form(score, settings[score.arm], plain, run) for score in (plain, *others)]
            groups.append(Group(where, tuple(forms)))
    return groups


def _settings(score: Score, run: RunData) -> Mapping[str, Any]:
    """How the answers behind a score were generated; nothing where its row names no generation."""
    key = next(iter(score.generations.values()), None)
    return {} if key is None else run.run.generated(key).settings()


def _is_plain(settings: Mapping[str, Any]) -> bool:
    """Whether an adapter is used beside the weights, as it is."""
    return settings.get("export") == "adapter" and settings.get("scale") == 1 and not settings.get("serving")


def _form(score: Score, settings: Mapping[str, Any], plain: Score, run: RunData) -> Form:
    serving = settings.get("serving") or {}
    merged = settings.get("export") == "merged"
    parts = ["merged" if merged else "unmerged"]
    parts += [f"scale {settings['scale']:g}"] if settings.get("scale") not in (None, 1) else []
    parts += [str(serving[key]) for key in ("fault", "onto", "dtype", "rounding") if key in serving]
    return Form(
        score=score,
        words=", ".join(parts),
        merged=merged,
        faulty=serving.get("fault", "none") != "none",
        test=None if score is plain else compare(score, plain),
        changed=_changed(score, plain, run),
    )


def _changed(score: Score, plain: Score, run: RunData) -> float | None:
    if score.decoding.startswith("sample"):
        return None
    ours, theirs = run.answers(score), run.answers(plain)
    pairs = [
        (completion.text, other.text)
        for seed in ours
        if seed in theirs
        for key, completion in ours[seed].completions.items()
        if (other := theirs[seed].completions.get(key)) is not None
    ]
    return sum(first != second for first, second in pairs) / len(pairs) if pairs else None
