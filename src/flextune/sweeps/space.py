"""The configurations of a sweep: what is varied, checked before any work, and each as an experiment."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flextune.config import (
    EvaluateConfig,
    Experiment,
    RangeConfig,
    SweepConfig,
    effective,
    merged,
)
from flextune.config.arms import NOT_OF_AN_ARM
from flextune.config.overrides import set_key
from flextune.config.sections.contrasts import ContrastPlace
from flextune.config.validation import SettingError, unknown_key, validate
from flextune.errors import FlextuneError
from flextune.runs.keys import digest
from flextune.search.base import Axis, Settings, combinations

#: What every configuration of a sweep shares: other problems or other limits would be another question.
NOT_VARIED = (*NOT_OF_AN_ARM, "evaluate", "judge", "device")
#: Combinations that are looked at for a key's effect.
LOOKED_AT = 300
#: Name of the arm that every configuration is compared with.
BASELINE = "baseline"
#: Name of the arm that was chosen.
CHOSEN = "chosen"


@dataclass(frozen=True)
class Space:
    """What is varied.

    Attributes:
        experiment: With its section ``sweep``.
        axes: A key each, sections before the keys inside them.
    """

    experiment: Experiment
    axes: tuple[Axis, ...]

    @property
    def sweep(self) -> SweepConfig:
        """The section."""
        assert self.experiment.sweep is not None
        return self.experiment.sweep

    @property
    def digest(self) -> str:
        """Stands for what is searched and by what it is chosen; not for how many configurations are tried."""
        section = self.sweep.model_dump(mode="json", exclude={"trials", "storage"})
        return digest({"sweep": section, "experiment": self._raw() | {"seeds": self.experiment.seeds}})

    def configured(self, settings: Settings, name: str, seeds: Sequence[int]) -> Experiment:
        """A configuration as an experiment without a sweep.

        A key inside a section that is null in this configuration is left out.

        Raises:
            SettingError: The keys do not allow the values.
        """
        raw = self._raw()
        for axis in self.axes:
            if not self._is_off(raw, axis.key):
                try:
                    set_key(raw, _path(axis.key), _value(axis.key, settings[axis.key]))
                except SettingError:
                    raise
                except FlextuneError as error:
                    raise SettingError(axis.key, str(error)) from None
        return validate(Experiment, raw | {"name": name, "seeds": list(seeds)})

    def baseline(self) -> Experiment:
        """What every configuration is compared with.

        Raises:
            FlextuneError: Keys that there are not, or that a baseline cannot have.
        """
        for key in self.sweep.baseline:
            if key.partition(".")[0] in NOT_VARIED:
                raise FlextuneError(f"sweep.baseline.{key}: is the same for all configurations")
        raw = merged(self._raw(), self.sweep.baseline)
        raw |= {"name": BASELINE, "seeds": self.experiment.seeds}
        return validate(Experiment, raw, prefix="sweep.baseline")

    def grid(self) -> list[Settings]:
        """Every combination, those with the same effect once."""
        found: dict[str, Settings] = {}
        for settings in combinations(self.axes):
            found.setdefault(digest(self.effect(settings)), settings)
        return list(found.values())

    def effect(self, settings: Settings) -> dict[str, Any]:
        """What of a configuration can change a result."""
        return effective(self.configured(settings, CHOSEN, self.experiment.seeds))

    def _raw(self) -> dict[str, Any]:
        raw = self.experiment.model_dump(mode="json", exclude_unset=True, exclude=set(NOT_OF_AN_ARM))
        raw.setdefault("decode", [{}])
        return raw

    def _is_off(self, raw: Mapping[str, Any], key: str) -> bool:
        """Whether a section above the key is null."""
        *sections, _ = key.split(".")
        node: Any = {**self.experiment.model_dump(mode="json"), **raw}
        for section in sections:
            node = node.get(section) if isinstance(node, Mapping) else None
            if node is None:
                return True
            if isinstance(node, list):
                return False
        return False


def make_space(experiment: Experiment) -> Space:
    """The space of an experiment's sweep.

    Raises:
        FlextuneError: No sweep; a key that there is not, that cannot be varied or that has no effect; a value
            that a key does not take.
    """
    if experiment.sweep is None:
        raise FlextuneError(
            f"experiment {experiment.name!r} has no section sweep; add for example"
            " sweep: {keys: {train.learning_rate: [1e-4, 1e-3]}}"
        )
    if not experiment.evaluate:
        raise FlextuneError(
            f"experiment {experiment.name!r} evaluates nothing: add for example "
            "evaluate: [{benchmark: rosetta, language: java}]"
        )
    keys = sorted(experiment.sweep.keys, key=lambda key: key.count("."))
    for key in keys:
        section = key.partition(".")[0]
        if section not in Experiment.model_fields:
            known = [name for name in Experiment.model_fields if name not in NOT_VARIED]
            raise FlextuneError(f"sweep.keys.{key}: {unknown_key(section, known)}")
        if section in NOT_VARIED:
            raise FlextuneError(f"sweep.keys.{key}: cannot be varied: it is the same for all configurations")
    space = Space(experiment, tuple(_axis(experiment, key) for key in keys))
    for axis in space.axes:
        _check_axis(space, axis)
    space.baseline()
    deciding(experiment)
    return space


def _axis(experiment: Experiment, key: str) -> Axis:
    assert experiment.sweep is not None
    values = experiment.sweep.keys[key]
    if isinstance(values, list):
        return Axis(key, tuple(values))
    if isinstance(values, RangeConfig):
        own = own_value(experiment, key)
        ends_whole = values.low.is_integer() and values.high.is_integer()
        whole = isinstance(own, int) or (own is None and ends_whole)
        return Axis(key, (), values.low, values.high, values.log, whole, values.steps or 2)
    own = own_value(experiment, key)
    if not isinstance(own, (int, float)) or isinstance(own, bool) or own <= 0:
        raise FlextuneError(
            f"sweep.keys.{key}: a bracket starts from the experiment's own value, and that is {own!r}"
        )
    # Where the search begins, and one step to each side: what a look at the key's effect needs.
    return Axis(key, (float(own), float(own) * values, float(own) / values))


def own_value(experiment: Experiment, key: str) -> Any:
    """The experiment's own value of a dotted key; None where there is none."""
    # An optimizer's own defaults may depend on its other options.
    node: Any = {**experiment.model_dump(mode="json"), "optimizer": experiment.optimizer.options()}
    for part in _path(key).split("."):
        if isinstance(node, list) and part.isdecimal() and int(part) < len(node):
            node = node[int(part)]
        else:
            node = node.get(part) if isinstance(node, Mapping) else None
    return node


def _check_axis(space: Space, axis: Axis) -> None:
    """Every value of the key is taken, and one of them changes something.

    Raises:
        FlextuneError: With the key.
    """
    switched_off = True
    seen: dict[str, set[str]] = {}
    problem: SettingError | None = None
    for others in _others(space, axis):
        for value in _looked_at(axis):
            try:
                effect = digest(space.effect({**others, axis.key: value}))
            except SettingError as error:
                problem = problem or error
                continue
            seen.setdefault(digest(others), set()).add(effect)
        if any(len(effects) > 1 for effects in seen.values()):
            switched_off = False
            break
    own = _alone(space, axis)
    if own is not None:
        raise FlextuneError(f"sweep.keys.{axis.key}: {own}")
    if switched_off and problem is not None:
        raise FlextuneError(f"sweep.keys.{axis.key}: {problem}")
    if switched_off and len(_looked_at(axis)) > 1:
        raise FlextuneError(f"sweep.keys.{axis.key}: has no effect: {_reason(space, axis.key)}")


def _alone(space: Space, axis: Axis) -> SettingError | None:
    """What is wrong with a value of the key itself, with all others at the experiment's own values."""
    alone = Space(space.experiment, (axis,))
    # A bracket walks away from what a key does not allow.
    values = _looked_at(axis)[:1] if space.sweep.search == "bracket" else _looked_at(axis)
    for value in values:
        try:
            alone.configured({axis.key: value}, CHOSEN, space.experiment.seeds)
        except SettingError as error:
            # A value that only fits beside other values is no mistake.
            if _names(error.key, axis.key):
                return error
    return None


def _names(reported: str, key: str) -> bool:
    """Whether an error is about the key, and not about one that it does not fit."""
    return reported.startswith((_path(key), key)) and not reported.startswith("decode")


def _looked_at(axis: Axis) -> list[Any]:
    return list(axis.values) if axis.values else [axis.at(0), axis.at(1)]


def _others(space: Space, axis: Axis) -> Iterator[Settings]:
    """Settings of the other keys: combinations of their values, up to a number of them."""
    others = [Axis(other.key, tuple(_looked_at(other))) for other in space.axes if other is not axis]
    return itertools.islice(combinations(others), LOOKED_AT)


def _reason(space: Space, key: str) -> str:
    section = key.rpartition(".")[0]
    if section and own_value(space.experiment, section) is None:
        return f"{section} is null in every configuration; give it in the experiment, or vary {section} too"
    if key.startswith("decode"):
        return (
            f"strategy {space.experiment.decode[0].strategy} does not use it; set decode.strategy, or vary it"
        )
    return "every configuration has the same results whatever its value"


def deciding(experiment: Experiment) -> EvaluateConfig:
    """The evaluation that chooses and is reported.

    Raises:
        FlextuneError: None fits, or more than one.
    """
    assert experiment.sweep is not None
    place = experiment.sweep.where or ContrastPlace()
    fitting = [
        part for part in experiment.evaluate if place.fits(part.benchmark, part.language, part.own_lexicon)
    ]
    if len(fitting) == 1:
        return fitting[0]
    there = "; ".join(part.label for part in experiment.evaluate)
    what = f"{len(fitting)} evaluations fit" if fitting else "no evaluation fits"
    raise FlextuneError(
        f"sweep.where: {what}, and one has to decide; name its benchmark, language or lexicon"
        f" (there are: {there})"
    )


def _path(key: str) -> str:
    """``decode.temperature`` is the temperature of the one way of decoding."""
    section, dot, rest = key.partition(".")
    if section == "decode" and dot and not rest.split(".")[0].isdecimal():
        return f"decode.0.{rest}"
    return key


def _value(key: str, value: Any) -> Any:
    """One way of decoding may be given as it is, without a list around it."""
    return [value] if key == "decode" and isinstance(value, Mapping) else value
