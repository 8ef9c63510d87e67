"""What a language is: a table of snippets, and how a prompt, an answer and its tests are written."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from string import Template
from textwrap import dedent, indent
from typing import Any, ClassVar

from flextune.rosetta.composition import Step
from flextune.rosetta.operations import Kind

#: The parameter of ``solve`` in every language.
PARAMETERS: dict[Kind, str] = {
    "int": "number",
    "ints": "numbers",
    "text": "text",
    "words": "words",
    "counts": "counts",
}

#: Styles that every language has: plain statements, and the language's idiom.
PLAIN, IDIOMATIC = 0, 1

Snippets = Mapping[str, tuple[str, ...]]


def read_snippets(table: str) -> dict[str, tuple[str, ...]]:
    """Reads a table of snippets: operation name -> its snippet in each style.

    An entry is ``name: idiomatic expression`` and, indented below, the plain snippet. When the idiomatic
    snippet is no single expression, it stands below the plain one after a line ``or``::

        total: sum($x)
            $y = 0
            for x in $x:
                $y += x

    ``$x`` is the input's variable, ``$y`` the result's, ``$k`` the constant; any other ``$name`` is a local
    variable of the snippet. A snippet without ``$y`` is an expression.
    """
    snippets: dict[str, tuple[str, ...]] = {}
    for entry in re.split(r"\n+(?=\S)", table.strip()):
        header, _, block = entry.partition("\n")
        name, _, expression = header.partition(":")
        styles = dedent(block).split("\nor\n")
        if expression:
            styles.insert(IDIOMATIC, expression.strip())
        snippets[name] = tuple(styles)
    return snippets


class Names:
    """Variable names of one program; none is given out twice."""

    def __init__(self, taken: set[str]) -> None:
        self._taken = set(taken)

    def fresh(self, wish: str) -> str:
        """``wish``, or ``wish2``, ``wish3`` ... when it is taken."""
        name, number = wish, 1
        while name in self._taken:
            number += 1
            name = f"{wish}{number}"
        self._taken.add(name)
        return name


class Language(ABC):
    """A language: ``prompt + body + "\\n" + tests`` is a program of MultiPL-E's shape.

    Attributes:
        name: MultiPL-E's short name.
        stop: Where a model's answer ends, as in MultiPL-E.
        closing: What follows ``body`` in a complete text of this language that has no tests.
        margin: Indentation of the statements of ``solve``.
        snippets: Operation name -> snippet in style ``PLAIN`` and in style ``IDIOMATIC``.
        reserved: Words that cannot, or should not, name a variable.
    """

    name: ClassVar[str]
    stop: ClassVar[tuple[str, ...]]
    closing: ClassVar[str]
    margin: ClassVar[str] = "    "
    snippets: ClassVar[Snippets]
    reserved: ClassVar[frozenset[str]]

    @abstractmethod
    def prompt(self, description: str, takes: Kind, gives: Kind) -> str:
        """Up to where the statements of ``solve`` begin; ``description`` is one line."""

    @abstractmethod
    def tests(self, takes: Kind, gives: Kind, cases: Sequence[tuple[Any, Any]]) -> str:
        """Fails loudly unless ``solve`` gives the second of each case for the first."""

    @abstractmethod
    def assignment(self, kind: Kind, variable: str, expression: str) -> str:
        """The statement that makes ``variable`` from ``expression``."""

    def returned(self, expression: str) -> str:
        """The statement that returns ``expression``."""
        return f"return {expression};"

    def body(self, steps: Sequence[Step], style: int = PLAIN) -> str:
        """The reference answer in one style, indented, without a newline at its end."""
        variable = PARAMETERS[steps[0].operation.takes]
        names = Names({variable, *self.reserved})
        lines: list[str] = []
        for position, step in enumerate(steps, start=1):
            result = names.fresh(step.operation.result)
            text, block = self._fill(step, style, variable, result, names)
            if not block and style != PLAIN and position == len(steps):
                lines.append(self.returned(text))
                break
            lines.append(text if block else self.assignment(step.operation.gives, result, text))
            variable = result
        else:
            lines.append(self.returned(variable))
        return indent("\n".join(lines), self.margin)

    def _fill(self, step: Step, style: int, x: str, y: str, names: Names) -> tuple[str, bool]:
        """The step's snippet with its names and constant, and whether it is a block."""
        template = Template(self.snippets[step.operation.name][style])
        wanted = template.get_identifiers()
        own = {name: names.fresh(name) for name in wanted if name not in ("x", "y", "k")}
        return template.substitute(own, x=x, y=y, k=step.k), "y" in wanted
