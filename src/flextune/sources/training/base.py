"""What a source of training examples is: its names, its languages, and how its examples are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from flextune.records import Example

if TYPE_CHECKING:
    from flextune.config import TrainConfig


class MakeExamples(Protocol):
    """Makes the examples of a training, and those held out of it."""

    def __call__(
        self, train: TrainConfig, data_dir: Path | None
    ) -> tuple[Sequence[Example], Sequence[Example]]:
        """Make the examples.

        Args:
            train: The section ``train``: its language, lexicon, format, limit and validation size; of
                ``train.part`` the options of the source's own.
            data_dir: What ``--data-dir`` gave, for ``flextune.data.origins.load_rows``.

        Returns:
            Training and validation examples. No problem is in both, and the division is the same for every
            seed, so that validation losses can be compared.

        Raises:
            FlextuneError: The data is missing or bad.
        """


@dataclass(frozen=True, slots=True)
class TrainingSource:
    """One source; register it in ``flextune.registry.TRAINING_SOURCES`` under its name.

    Attributes:
        name: What an experiment file calls it (``train: {data: NAME}``).
        title: What the report calls it.
        languages: Short names of the languages that it has.
        examples: Makes them.
        has_lexicons: Whether its descriptions come in more than one wording.
        options: Keys of a part of ``train.data`` that it heeds; others are refused.
    """

    name: str
    title: str
    languages: tuple[str, ...]
    examples: MakeExamples
    has_lexicons: bool = False
    options: tuple[str, ...] = ("language", "format")
