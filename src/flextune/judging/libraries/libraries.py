"""How a language says that a library is missing, and which libraries there are.

Nothing is known about a program that needs a library which is not here. A program that imports a name of its
own invention is wrong, though: otherwise ``import no_such_module`` would be a way out of every hard problem.
So a missing library counts if it is a known one, or if the problem itself imports it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Libraries:
    """The libraries of one language.

    Attributes:
        missing: Finds in what a compiler or program said the missing library, as the group ``name``.
        known: Libraries that people use, by that name, and the package that holds each; the name itself
            where it is empty. A name stands for all that begin with it and a separator.
        imports: Finds in a source the libraries that it imports, as the group ``name``.
        install: The command that installs ``{package}``, empty where there is none.
        separators: What may follow a known name in a longer one.
    """

    missing: re.Pattern[str]
    known: Mapping[str, str]
    imports: re.Pattern[str]
    install: str
    separators: str = "./:"

    def imported(self, source: str) -> tuple[str, ...]:
        """Names that a source imports, in alphabetical order."""
        return tuple(sorted({match["name"] for match in self.imports.finditer(source)}))

    def advice(self, message: str, needs: Collection[str]) -> str | None:
        """Which library is missing and how to install it; None where no known or needed one is.

        Args:
            message: What compiler or program said.
            needs: Names that the problem imports.
        """
        for match in self.missing.finditer(message):
            name = match["name"]
            known = self._known(name)
            if known is not None:
                return self._say(known, self.known[known] or known)
            if name in needs:
                return self._say(name, name)
        return None

    def _known(self, name: str) -> str | None:
        if name in self.known:
            return name
        cuts = [position for position, mark in enumerate(name) if mark in self.separators]
        return next((name[:cut] for cut in reversed(cuts) if name[:cut] in self.known), None)

    def _say(self, name: str, package: str) -> str:
        if not self.install:
            return f"{name} is not here, and libraries of this language cannot be added"
        return f"{name} is not here; install it with: {self.install.format(package=package)}"


def names(text: str) -> dict[str, str]:
    """``"numpy yaml=PyYAML"`` as a mapping of names to packages."""
    return {name: package for name, _, package in (item.partition("=") for item in text.split())}
