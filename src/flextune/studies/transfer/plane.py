"""The learning-forgetting plane: of each arm, what it learned and what it kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flextune.config import Experiment
from flextune.languages import language_name
from flextune.records import Score
from flextune.report.run_data import RunData
from flextune.statistics.intervals import Interval
from flextune.statistics.pooled import Pooled, pooled, pooled_difference
from flextune.statistics.tally import Setting, setting, tally, trainings
from flextune.studies.base import once_per_run
from flextune.studies.transfer.families import Family, run_families

RESERVED = "reserved"


@dataclass(frozen=True, slots=True)
class Side:
    """One coordinate of an arm.

    Attributes:
        rates: Pass rates behind it.
        ends: 95 % interval; None where none is honest.
        change: Against the baseline; None of the baseline itself.
        change_ends: 95 % interval of the change.
    """

    rates: Pooled
    ends: Interval | None
    change: float | None = None
    change_ends: Interval | None = None

    @property
    def value(self) -> float:
        """Mean pass@1, as a share."""
        return self.rates.value


@dataclass(frozen=True, slots=True)
class Point:
    """One arm.

    Attributes:
        arm: Its name.
        learned: In the language that was trained.
        kept: In the other languages.
        languages: Those that the arm itself was trained in, by their short names; empty for a base model.
    """

    arm: str
    learned: Side
    kept: Side
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plane:
    """All arms of a run under one way of decoding.

    Attributes:
        decoding: The way.
        learned: Settings that "learned" is the mean of: one language, in taught words where there are any.
        kept: Settings that "kept" is the mean of: other languages, in the words of pretraining.
        points: Of every arm that has all of these settings, in the order of the page.
        families: Of these arms without the baseline.
        baseline: The baseline's name.
        left_out: Problems that some arm has no known outcome of.
    """

    decoding: str
    learned: tuple[Setting, ...]
    kept: tuple[Setting, ...]
    points: tuple[Point, ...]
    families: tuple[Family, ...]
    baseline: str
    left_out: int

    def point(self, arm: str) -> Point:
        """An arm's."""
        return next(point for point in self.points if point.arm == arm)

    @property
    def trained(self) -> tuple[Point, ...]:
        """All but the baseline."""
        return tuple(point for point in self.points if point.arm != self.baseline)


@once_per_run
def planes(run: RunData) -> tuple[Plane, ...]:
    """A plane for each way of decoding in which a trained arm and the baseline have all settings.

    None without the experiment, which says what language was trained.
    """
    found: list[Plane] = []
    if run.experiment is None:
        return ()
    for decoding in dict.fromkeys(where[3] for where in run.labels.settings):
        plane = _plane(run, decoding)
        if plane is not None:
            found.append(plane)
    return tuple(found)


def _plane(run: RunData, decoding: str) -> Plane | None:
    learned, kept = _learned(run, decoding), _kept(run, decoding)
    if not learned or not kept:
        return None
    scores = {(score.arm, setting(score)): score for score in run.scores}
    arms = [arm for arm in run.labels.arms if all((arm, where) in scores for where in (*learned, *kept))]
    if run.baseline not in arms or not any(trainings(scores[arm, kept[0]]) for arm in arms):
        return None
    known = {where: _known([scores[arm, where] for arm in arms]) for where in (*learned, *kept)}
    if not all(known.values()):
        return None

    def rates(arm: str, settings: Sequence[Setting]) -> Pooled:
        return pooled([scores[arm, where] for where in settings], [known[where] for where in settings])

    base = (rates(run.baseline, learned), rates(run.baseline, kept))
    languages = trained_languages(run)
    points = tuple(
        Point(
            arm,
            _side(rates(arm, learned), base[0] if arm != run.baseline else None),
            _side(rates(arm, kept), base[1] if arm != run.baseline else None),
            languages.get(arm, ()),
        )
        for arm in arms
    )
    left_out = sum(_posed([scores[arm, where] for arm in arms]) - len(known[where]) for where in known)
    return Plane(
        decoding,
        learned,
        kept,
        points,
        tuple(run_families(run, [arm for arm in arms if arm != run.baseline])),
        run.baseline,
        left_out,
    )


def _learned(run: RunData, decoding: str) -> tuple[Setting, ...]:
    own = [s for s in run.labels.settings if s[3] == decoding and s[1] == run.labels.trained]
    taught = tuple(where for where in own if where[2] == RESERVED)
    if taught and run.labels.taught:
        return taught
    return tuple(where for where in own if where[2] != RESERVED)


def _kept(run: RunData, decoding: str) -> tuple[Setting, ...]:
    return tuple(
        where
        for where in run.labels.settings
        if where[3] == decoding and where[1] != run.labels.trained and where[2] != RESERVED
    )


def _known(scores: Sequence[Score]) -> set[str]:
    """Problems whose outcome every arm knows."""
    return set.intersection(*(set(tally(score).problems) for score in scores))


def _posed(scores: Sequence[Score]) -> int:
    return len({name for score in scores for runs in score.outcomes.values() for name in runs})


def _side(rates: Pooled, base: Pooled | None) -> Side:
    if base is None:
        return Side(rates, rates.interval())
    change = rates.value - base.value
    return Side(rates, rates.interval(), change, pooled_difference(rates, base))


def trained_languages(run: RunData) -> dict[str, tuple[str, ...]]:
    """Languages of every arm's training data, by short names; arms that train nothing have none."""
    arms = run.experiment.resolved_arms() if run.experiment is not None else []
    return {arm.name: _languages(arm) for arm in arms}


def _languages(arm: Experiment) -> tuple[str, ...]:
    if arm.train is None:
        return ()
    train = arm.train
    found = [
        language for part in train.parts for language in (part.languages or [part.language or train.language])
    ]
    if train.replay is not None:
        found += train.replay.languages
    return tuple(dict.fromkeys(found))


def place_words(run: RunData, settings: Sequence[Setting]) -> str:
    """``Java and JavaScript, old words``: the settings of one coordinate."""
    languages = list(dict.fromkeys(language_name(where[1]) for where in settings))
    wordings = list(dict.fromkeys(run.labels.wording(where) for where in settings))
    names = " and ".join([", ".join(languages[:-1]), languages[-1]] if len(languages) > 1 else languages)
    return ", ".join(part for part in (names, *wordings) if part)
