"""Which programs could not be judged because a library is not here."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from flextune.judging.judgement import Judgement
from flextune.judging.languages.base import MESSAGE_CHARACTERS
from flextune.judging.libraries.libraries import Libraries
from flextune.judging.libraries.others import OTHERS
from flextune.judging.libraries.python import PYTHON

#: Languages that say so when a library is missing.
LIBRARIES: dict[str, Libraries] = {"py": PYTHON, **OTHERS}

__all__ = ["LIBRARIES", "Libraries", "needed", "with_libraries"]


# Many samples of a problem come one after the other, and its tests may be long.
@lru_cache(maxsize=64)
def needed(language: str, prompt: str, tests: str) -> tuple[str, ...]:
    """The libraries that a prompt or tests import, by the names that they have there."""
    libraries = LIBRARIES.get(language)
    return () if libraries is None else libraries.imported(f"{prompt}\n{tests}")


def with_libraries(judgement: Judgement, language: str, needs: tuple[str, ...]) -> Judgement:
    """The judgement, as ``library_missing`` where a library's absence is what ended the program.

    Args:
        judgement: What is known without a look at libraries.
        language: The program's.
        needs: Libraries that its problem imports.
    """
    libraries = LIBRARIES.get(language)
    if libraries is None or judgement.outcome not in ("exception", "compile_error"):
        return judgement
    advice = libraries.advice(judgement.message, needs)
    if advice is None:
        return judgement
    message = f"{advice}\n{judgement.message}"[:MESSAGE_CHARACTERS]
    return replace(judgement, outcome="library_missing", message=message)
