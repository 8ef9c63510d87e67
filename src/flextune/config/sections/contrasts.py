"""The section ``contrasts``: which arms are compared, fixed before the run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from flextune.config.names import BenchmarkName, LanguageName
from flextune.config.section import Float, Section
from flextune.config.sections.data import Lexicon
from flextune.errors import did_you_mean

Pair = Annotated[list[str], Field(min_length=2, max_length=2)]


class ContrastPlace(Section):
    """Evaluations that a contrast is primary in; a key that is not given fits all."""

    benchmark: BenchmarkName | None = Field(None, description="Benchmark. null: any.")
    language: LanguageName | None = Field(None, description="Language. null: any.")
    lexicon: Lexicon | None = Field(None, description="Wording (Rosetta only). null: any.")

    def fits(self, benchmark: str, language: str, lexicon: str | None) -> bool:
        """Whether a setting is meant."""
        given = ((self.benchmark, benchmark), (self.language, language), (self.lexicon, lexicon))
        return all(wanted is None or wanted == value for wanted, value in given)


class ContrastsConfig(Section):
    """Comparisons that are named before the run: they are adjusted for their number as one family.

    Every other comparison of an arm with the baseline is shown as exploratory. Without pairs, reference and
    controls each arm is compared with the baseline, and those comparisons are the primary ones.
    """

    pairs: list[Pair] = Field(
        default_factory=list, description="Pairs of arms, [arm, what it is compared with]."
    )
    reference: str | None = Field(None, description="An arm that every other arm is compared with.")
    controls: dict[str, list[str]] = Field(
        default_factory=dict, description="An arm, and the arms that are its controls."
    )
    where: list[ContrastPlace] = Field(
        default_factory=list, description="Evaluations that these contrasts are primary in. Empty: all."
    )
    margin: Float = Field(
        2.0, gt=0, le=100, description="Percentage points within which two arms count as the same."
    )

    @property
    def named(self) -> bool:
        """Whether any comparison is named."""
        return bool(self.pairs or self.reference or self.controls)

    def named_pairs(self, arms: Sequence[str]) -> list[tuple[str, str]]:
        """Every named comparison: an arm, and what it is compared with."""
        return [(first, second) for _, first, second in self._named(arms)]

    def check(self, arms: Sequence[str]) -> None:
        """Refuse what names no two arms.

        Args:
            arms: Names of the experiment's arms.

        Raises:
            ValueError: An arm that there is not, an arm against itself, a comparison given twice.
        """
        seen: set[frozenset[str]] = set()
        for key, first, second in self._named(arms):
            for name in (first, second):
                if name not in arms:
                    known = ", ".join(arms)
                    raise ValueError(f"{key}: no arm {name!r}{did_you_mean(name, arms)} (arms: {known})")
            if first == second:
                raise ValueError(f"{key}: {first!r} is compared with itself")
            if frozenset((first, second)) in seen:
                raise ValueError(f"{key}: {first!r} and {second!r} are compared twice")
            seen.add(frozenset((first, second)))

    def _named(self, arms: Sequence[str]) -> Iterator[tuple[str, str, str]]:
        """Key, arm and what it is compared with."""
        for number, (first, second) in enumerate(self.pairs):
            yield f"contrasts.pairs.{number}", first, second
        if self.reference is not None:
            others = [arm for arm in arms if arm != self.reference] or [self.reference]
            yield from (("contrasts.reference", arm, self.reference) for arm in others)
        for arm, controls in self.controls.items():
            yield from ((f"contrasts.controls.{arm}", arm, control) for control in controls)


def _spelled_out(value: Any) -> Any:
    """``[[a, b], ...]`` is ``{pairs: ...}``, and a name alone is a reference."""
    if isinstance(value, list):
        if any(isinstance(item, str) for item in value):
            raise ValueError("a list of pairs is wanted: [[fourier, lora], [fourier, l2]]")
        return {"pairs": value}
    if isinstance(value, str):
        return {"reference": value}
    return {} if value is None else value


Contrasts = Annotated[ContrastsConfig, BeforeValidator(_spelled_out)]
