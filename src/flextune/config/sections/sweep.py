"""The section ``sweep``: which keys of the experiment are varied, how, and by what they are chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from flextune.config.section import Float, Int, Section, Seed
from flextune.config.sections.contrasts import ContrastPlace

SearchName = Literal["grid", "random", "tpe", "bracket"]
#: Searches that fix every configuration before an outcome is seen.
BLIND: frozenset[SearchName] = frozenset({"grid", "random"})


class RangeConfig(Section):
    """Numbers from ``low`` to ``high``; whole ones where the key holds a whole number."""

    low: Float = Field(description="The smallest value.")
    high: Float = Field(description="The largest value.")
    log: bool = Field(False, description="Whether values are spread evenly on a logarithmic scale.")
    steps: Int | None = Field(None, ge=2, description="Number of values in a grid. null: not for a grid.")

    @model_validator(mode="after")
    def _ordered(self) -> RangeConfig:
        if self.low >= self.high:
            raise ValueError(f"low: {self.low:g} is not below high: {self.high:g}")
        if self.log and self.low <= 0:
            raise ValueError(f"log: needs a low above 0 (given: {self.low:g})")
        return self


Ratio = Annotated[Float, Field(gt=1)]
Values = RangeConfig | Annotated[list[Any], Field(min_length=1)] | Ratio


def _dotted(keys: Any) -> Any:
    """``{penalty: {strength: [...]}}``, as the command line makes it, is ``{penalty.strength: [...]}``."""
    if not isinstance(keys, Mapping):
        return keys
    found: dict[str, Any] = {}
    for key, values in keys.items():
        if isinstance(values, Mapping) and not RangeConfig.model_fields.keys() & values.keys():
            found |= {f"{key}.{rest}": inner for rest, inner in _dotted(values).items()}
        else:
            found[key] = values
    return found


class SweepConfig(Section):
    """A search over keys of the experiment; ``flextune sweep`` runs it.

    Configurations are chosen by one half of the problems, and what was chosen is reported on the other half.
    """

    keys: Annotated[dict[str, Values], BeforeValidator(_dotted)] = Field(
        min_length=1,
        description="Dotted keys to what they take: a list of values, {low, high, log, steps}, or, for the"
        " bracket, the ratio of two neighbouring values. A value may be a mapping: adapter: [{rank: 8,"
        " alpha: 16}, ...].",
    )
    search: SearchName = Field(
        "grid",
        description="grid: every combination. random: drawn. tpe: proposed from what was seen (Optuna)."
        " bracket: from the experiment's own values outwards, closing in on the best.",
    )
    trials: Int | None = Field(
        None, ge=2, description="Configurations to try; a grid tries all of its combinations. null: 20."
    )
    seed: Seed = Field(
        1000,
        description="Seed of the search's trainings, draws and halves; it must not be one of the experiment's"
        " seeds.",
    )
    baseline: dict[str, Any] = Field(
        default_factory=lambda: {"train": None},
        description="Keys of what every configuration is compared with, merged into the experiment.",
    )
    objective: Literal["pass@1", "eval_loss"] = Field(
        "pass@1",
        description="What chooses: the mean of pass@1 on the choosing half, or the validation loss at the"
        " end of a training.",
    )
    where: ContrastPlace | None = Field(
        None,
        description="The evaluation that chooses and is reported, where the experiment has several; the"
        " others are made of the baseline and of what was chosen.",
    )
    prune: bool = Field(
        False,
        description="Judge the choosing half in three parts, and give up a configuration that is below the"
        " median of the others after one of them.",
    )
    cross_fit: bool | None = Field(
        None,
        description="Judge every configuration on both halves, for cross-fitting and the test of all at once."
        " null: where that is valid (grid or random, without pruning, chosen by pass@1).",
    )
    storage: str | None = Field(
        None,
        description="Where Optuna keeps its trials: sqlite:///FILE or postgresql://... . null: a SQLite file"
        " in the run's folder.",
    )

    @property
    def blind(self) -> bool:
        """Whether every configuration is fixed before an outcome is seen, and none is given up."""
        return self.search in BLIND and not self.prune

    @property
    def judges_all(self) -> bool:
        """Whether every configuration is judged on both halves."""
        return self.blind and self.objective == "pass@1" if self.cross_fit is None else self.cross_fit

    @property
    def most_trials(self) -> int:
        """Configurations that are tried; a grid knows its own number."""
        return 20 if self.trials is None else self.trials

    @model_validator(mode="after")
    def _consistent(self) -> SweepConfig:
        for key, values in self.keys.items():
            self._check_values(key, values)
        if self.search == "grid" and self.trials is not None:
            raise ValueError("trials: has no effect: a grid tries all of its combinations (search: random)")
        if self.storage is not None and self.search != "tpe":
            raise ValueError(
                f"storage: has no effect: only tpe keeps trials in Optuna (search: {self.search})"
            )
        if self.prune and self.objective != "pass@1":
            raise ValueError("prune: has no effect: nothing is judged by the validation loss")
        if self.cross_fit and not self.blind:
            raise ValueError(
                "cross_fit: needs grid or random without prune: what was proposed from outcomes of a problem"
                " cannot be reported on it"
            )
        return self

    def _check_values(self, key: str, values: Any) -> None:
        bracket = self.search == "bracket"
        if isinstance(values, list):
            if bracket:
                raise ValueError(f"keys.{key}: a bracket wants a ratio above 1, for example 2")
        elif isinstance(values, RangeConfig):
            if bracket:
                raise ValueError(f"keys.{key}: a bracket wants a ratio above 1, for example 2")
            if (values.steps is None) == (self.search == "grid"):
                what = "needs steps" if self.search == "grid" else f"steps: has no effect in {self.search}"
                raise ValueError(f"keys.{key}: {what}")
        elif not bracket:
            raise ValueError(f"keys.{key}: a ratio is for search: bracket; give a list or {{low, high}}")
