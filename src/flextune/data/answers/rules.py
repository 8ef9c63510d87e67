"""The rules by which an answer is read, each with a name; docs/answers.md explains them."""

from __future__ import annotations

from dataclasses import dataclass, field

from flextune.records import Problem

#: Raised when the rules read another program from the same answer: such answers are judged again.
REVISION = 2

#: Every rule and what it does, in the order in which they are asked.
RULES: dict[str, str] = {
    "final-channel": "the last message of the final channel is the answer",
    "turn": "the assistant's turn is the answer, other turns are not",
    "reasoning": "reasoning is left out",
    "reasoning-only": "nothing follows the reasoning, so the reasoning is read",
    "structured": "the answer is JSON with the code in one of its fields",
    "answer-tags": "what the answer's own tags enclose is the answer",
    "start-token": "special tokens before the answer are left out",
    "end-token": "the answer ends at its first special token",
    "escaped": "HTML entities stand for the characters of the code",
    "closing-fence": "the opening fence was in the prompt: the code ends at the lone closing one",
    "open-fence": "a block that is never closed runs to the end",
    "session": "what was typed in a session is the code: prompts and output are left out",
    "numbered": "the numbers of a listing's lines are left out",
    "patch": "of a patch, the lines are taken that it adds or keeps",
    "other-language": "blocks in another language are no answer",
    "last-definition": "of the blocks that define what the tests call, the last complete one is taken",
    "program-block": "of the blocks that are programs, the last one that reads its input is taken",
    "only-block": "no block defines what the tests call: the longest one of the language is taken",
    "marked-wrong": "a block that the answer itself calls wrong or naive is passed over",
    "incomplete": "a block that breaks off or only repeats the signature is passed over",
    "outside-fences": "the code stands outside the fences",
    "unfenced": "without a fence, the lines that are code are taken and the prose around them is left",
    "notebook": "lines for a notebook (`!pip`, `%timeit`) are left out",
    "joined": "imports and helpers that the block uses come from other blocks",
    "truncated": "what breaks off after the function is left out",
    "whole-program": "a problem with cases is answered by a program: nothing is cleaned away or cut",
    "main": "a main of its own is left out",
    "demo": "statements that only show the function off or ask for input are left out",
    "exports": "package clauses, namespaces and exports are left out",
    "program": "a program of its own replaces the prompt",
    "prompt-head": "what the prompt has before the function and the program lacks comes first",
    "after-prompt": "the prompt only describes: the program follows it",
    "body": "the body of the function follows the prompt",
    "indented": "the body is indented as the prompt is",
    "closed-once": "each scope is closed once, by the body or by the tests",
    "solution-class": "the tests call a function, the answer has a method: the function calls it",
    "completion": "a completion follows the prompt as it is",
    "stop": "a completion ends at the first stop string",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One rule that applied.

    Attributes:
        rule: A key of ``RULES``.
        detail: What it found here; empty where the rule says it all.
    """

    rule: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.rule}: {RULES[self.rule]}" + (f" ({self.detail})" if self.detail else "")


@dataclass
class Trace:
    """Collects the rules that apply while an answer is read."""

    steps: list[Step] = field(default_factory=list)

    def note(self, rule: str, detail: str = "") -> None:
        """Add one rule.

        Raises:
            KeyError: It is not in ``RULES``.
        """
        RULES[rule]
        step = Step(rule, detail)
        if step not in self.steps:
            self.steps.append(step)


@dataclass(frozen=True, slots=True)
class Extraction:
    """What is judged for one text, and why.

    Attributes:
        problem: The problem, without its prompt where the answer is a program of its own.
        text: What follows the prompt.
        steps: The rules that applied, in order.
    """

    problem: Problem
    text: str
    steps: tuple[Step, ...] = ()

    @property
    def pair(self) -> tuple[Problem, str]:
        """Problem and text, as a judge takes them."""
        return self.problem, self.text

    @property
    def program(self) -> str:
        """The source that is judged."""
        return self.problem.program(self.text)
