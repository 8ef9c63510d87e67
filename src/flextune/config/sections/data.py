"""``train.data``: where training examples come from, by name, by path, from the hub, or a mixture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from flextune.config.names import DataName, LanguageName, SourceName
from flextune.config.section import Float, Int, Section
from flextune.registry import TRAINING_SOURCES

Lexicon = Literal["base", "reserved"]
Format = Literal["docstring", "paper"]
Difficulty = Literal["introductory", "interview", "competition"]
Column = Literal["prompt", "completion", "text", "messages"]

#: The keys that say where a part comes from; a part has one of them.
ORIGINS = ("source", "path", "hub")


class DataPart(Section):
    """One origin of examples: ``source``, ``path`` or ``hub``, and what of it is taken."""

    source: SourceName | None = Field(None, description="Name of a source; `flextune list data` has them.")
    path: str | None = Field(
        None, description="A file of rows (JSON lines, JSON or parquet, also .gz), or a folder of such files."
    )
    hub: str | None = Field(
        None, pattern=r"^[^/\s]+/[^/\s]+$", description="A dataset of the Hugging Face hub: OWNER/NAME."
    )
    config: str | None = Field(
        None, description="Configuration of a hub dataset that has several. null: its default."
    )
    split: str | None = Field(None, description="Split of a hub dataset. null: train.")
    columns: dict[Column, str] | None = Field(
        None,
        min_length=1,
        description="Which column is what, where they are not called prompt and completion, text, or"
        " messages: {prompt: question, completion: answer}.",
    )
    validation: str | None = Field(
        None,
        description="Validation examples: another file, or another split of the hub dataset. null: some are"
        " held out of this one.",
    )
    share: Float | None = Field(
        None,
        gt=0,
        le=1,
        description="This part's share of the mixture's examples. null: all that this part has.",
    )
    limit: Int | None = Field(None, ge=1, description="Use only the first N examples of this part.")
    language: LanguageName | None = Field(None, description="Language of the programs. null: train.language.")
    languages: list[LanguageName] | None = Field(
        None,
        min_length=2,
        description="Parallel programs: each problem in each of these languages (Rosetta only).",
    )
    lexicon: Lexicon | None = Field(
        None, description="Wording of the descriptions (Rosetta only). null: train.lexicon."
    )
    format: Format | None = Field(None, description="How a program is posed. null: train.format.")
    difficulty: list[Difficulty] | None = Field(
        None, min_length=1, description="Classes of problems to use (APPS only). null: all."
    )
    solutions: Int | None = Field(
        None, ge=1, description="Solutions to use per problem, an example each (APPS only). null: one."
    )
    form: Literal["stdin", "call"] | None = Field(
        None,
        description="Only problems whose programs read and print, or whose function is called (APPS only)."
        " null: both.",
    )

    @field_validator("languages")
    @classmethod
    def _each_once(cls, languages: list[str] | None) -> list[str] | None:
        for language in languages or ():
            if (languages or []).count(language) > 1:
                raise ValueError(f"{language!r} is given twice")
        return languages

    @model_validator(mode="after")
    def _one_origin(self) -> DataPart:
        given = [key for key in ORIGINS if getattr(self, key) is not None]
        if len(given) != 1:
            found = f"found: {' and '.join(given)}" if given else "found: none"
            raise ValueError(f"give one of source, path and hub ({found})")
        if self.language is not None and self.languages is not None:
            raise ValueError("give language or languages, not both")
        if self.hub is None and (self.config is not None or self.split is not None):
            raise ValueError("config and split are of hub datasets")
        return self

    @property
    def name(self) -> str:
        """What the part is called: the source, the file or folder, or the dataset."""
        return self.source or self.hub or Path(str(self.path)).name

    @property
    def options(self) -> set[str]:
        """The keys that are given, those that every part may have aside."""
        given = {key for key in type(self).model_fields if getattr(self, key) is not None}
        return given - {*ORIGINS, "share", "limit"}


def _kind(value: Any) -> str:
    if isinstance(value, (Mapping, DataPart)):
        return "[part]"
    return "[list]" if isinstance(value, (list, tuple)) else "[name]"


# The tags' brackets keep them out of the keys that errors show.
_One = Annotated[
    Annotated[DataName, Tag("[name]")] | Annotated[DataPart, Tag("[part]")], Discriminator(_kind)
]
Data = Annotated[
    Annotated[DataName, Tag("[name]")]
    | Annotated[DataPart, Tag("[part]")]
    | Annotated[list[_One], Field(min_length=1), Tag("[list]")],
    Discriminator(_kind),
]


def part_of(data: str | DataPart) -> DataPart:
    """A part that may be given by its name or path alone."""
    if isinstance(data, DataPart):
        return data
    return DataPart(source=data) if data in TRAINING_SOURCES else DataPart(path=data)


def parts_of(data: str | DataPart | list[str | DataPart]) -> tuple[DataPart, ...]:
    """The parts of training data, however they are written."""
    return tuple(map(part_of, data if isinstance(data, list) else [data]))


#: Keys of a part that replace those of the section ``train``.
TRAIN_KEYS = ("language", "lexicon", "format")
