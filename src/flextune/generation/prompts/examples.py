"""Solved examples for prompts, from sources that no benchmark shares."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flextune.data import mbpp
from flextune.errors import FlextuneError
from flextune.generation.prompts.template import ExamplesSection, Template
from flextune.languages import language_name
from flextune.records import Example, Problem
from flextune.rosetta.languages import LANGUAGES

#: Seed of Rosetta's lessons: those of trainings are drawn with 0, those that are replayed with 1.
SEED = 2


def examples_of(
    template: Template, language: str, problems: Sequence[Problem], data_dir: Path | None
) -> list[Example]:
    """The examples of a template in one language, none of which is one of the problems.

    Raises:
        FlextuneError: Its source has none in that language, or an example is one of the problems.
    """
    given = template.section.examples
    if isinstance(given, ExamplesSection):
        examples = _from_source(template.name, given, language, data_dir)
    else:
        examples = [Example(str(n), one.prompt, one.completion) for n, one in enumerate(given)]
    posed = {problem.prompt.strip(): problem.name for problem in problems}
    for number, example in enumerate(examples):
        if (name := posed.get(example.prompt.strip())) is not None:
            raise FlextuneError(
                f"prompt template {template.name!r}: example {number} is the problem {name!r} itself; "
                "take one that is not evaluated"
            )
    return examples


def _from_source(name: str, given: ExamplesSection, language: str, data_dir: Path | None) -> list[Example]:
    if given.source == "mbpp" and language == "py":
        return mbpp.examples(mbpp.read(data_dir, split="prompt"), "docstring")[: given.count]
    if given.source == "rosetta" and language in LANGUAGES:
        # numpy comes with it, which nobody should wait for who only asks for names.
        from flextune.rosetta.examples import examples

        return examples(language, seed=SEED, limit=given.count)
    known = "py" if given.source == "mbpp" else ", ".join(LANGUAGES)
    raise FlextuneError(
        f"prompt template {name!r}: {given.source} has no examples in {language_name(language)} "
        f"(its languages: {known}); list examples of your own in a template file"
    )
