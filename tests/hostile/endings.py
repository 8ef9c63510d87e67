"""What an ending is: a wrong solution after which the tests are no longer what is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flextune.records import Case, Completion, Problem


@dataclass(frozen=True)
class Frame:
    """A problem in one language, and how wrong solutions to it end.

    Attributes:
        prompt: What every solution follows.
        right: A right solution.
        wrong: A wrong solution, complete.
        tests: The tests that the endings are for.
        endings: What ends the wrong solution, by its name; with other tests where it needs some.
    """

    prompt: str
    right: str
    wrong: str
    tests: str
    endings: Mapping[str, str | tuple[str, str]]

    def ending(self, name: str) -> tuple[str, str]:
        """What follows the wrong solution, and the tests."""
        ending = self.endings[name]
        return (ending, self.tests) if isinstance(ending, str) else ending

    def pair(self, language: str, name: str) -> tuple[Problem, Completion]:
        """The problem, and the wrong solution that ends so."""
        ending, tests = self.ending(name)
        return Problem(name, "hostile", language, self.prompt, tests), Completion(
            name, 0, self.wrong + ending
        )

    def plain(self, language: str, name: str) -> tuple[Problem, Completion]:
        """The same program without the judge's care for its tests: one that is run, and may print nothing."""
        ending, tests = self.ending(name)
        source = f"{self.prompt}{self.wrong}{ending}\n{tests}"
        return Problem(name, "hostile", language, "", "", cases=(Case("", PRINTED),)), Completion(
            name, 0, source
        )


#: What no program prints.
PRINTED = "\x01"
