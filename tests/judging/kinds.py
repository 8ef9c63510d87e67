"""A solution with its tests, and what must be found."""

from __future__ import annotations

from dataclasses import dataclass

from flextune.records import Completion, Problem


@dataclass(frozen=True)
class Kind:
    """One kind of solution or of tests.

    Attributes:
        prompt: What is posed; it names what is asked for.
        solution: What follows it.
        tests: The tests.
        outcome: What must be found.
    """

    prompt: str
    solution: str
    tests: str
    outcome: str = "passed"

    def pair(self, name: str, language: str, head: str = "") -> tuple[Problem, Completion]:
        """The problem and the answer to it; ``head`` comes before the tests."""
        problem = Problem(name, "test", language, self.prompt, head + self.tests)
        return problem, Completion(name, 0, self.solution)
