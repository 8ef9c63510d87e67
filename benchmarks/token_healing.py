"""What token healing changes where a prompt ends within what the tokenizer has as one token.

``python -m benchmarks.token_healing [--problems N]``

The embedded model answers Rosetta's Python problems three times, greedily: as they are posed, with two of the
four spaces of the body's first line behind the prompt, and the same with healing.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from benchmarks.reporting import conditions, table
from flextune.config import DecodeConfig, EvaluateConfig
from flextune.generation.engine import Prompt, Request
from flextune.generation.local import LocalEngine
from flextune.judging import judge
from flextune.models.load import load_model
from flextune.records import Completion, Problem
from flextune.sources.loading import load_problems

INTRODUCTION = """\
# Token healing

The embedded model answers Rosetta's Python problems greedily. Its tokenizer has four spaces as one token.
No token goes over the end of the prompts as they are posed, so there healing changes nothing. With two of the
four spaces behind the prompt, a token does."""

DECODE = DecodeConfig(max_new_tokens=200)
HALF = "  "


def measure(count: int) -> list[list[str]]:
    """A row for each way of posing: passed, and how many answers are those to the prompt as it is posed."""
    whole = load_problems(EvaluateConfig(limit=count), None)
    cut = [replace(problem, prompt=problem.prompt + HALF) for problem in whole]
    engine = LocalEngine(load_model("rosetta"))
    plain = _answers(engine, whole, healing=False)
    ways = [
        ("as posed", whole, plain),
        ("as posed, healed", whole, _answers(engine, whole, healing=True)),
        ("two spaces behind", cut, _answers(engine, cut, healing=False)),
        ("two spaces behind, healed", cut, _answers(engine, cut, healing=True)),
    ]
    programs = [problem.program(completion.text) for problem, completion in zip(whole, plain, strict=True)]
    rows = []
    for name, problems, completions in ways:
        pairs = list(zip(problems, completions, strict=True))
        passed = sum(verdict.passed for verdict in judge(pairs))
        same = sum(p.program(c.text) == program for (p, c), program in zip(pairs, programs, strict=True))
        rows.append([name, f"{passed} of {count}", f"{same} of {count}"])
    return rows


def _answers(engine: LocalEngine, problems: Sequence[Problem], *, healing: bool) -> list[Completion]:
    prompts = {p.name: Prompt(p.prompt, stop=p.stop, healing=healing) for p in problems}
    groups = engine.answer([Request(problems, DECODE, 0, prompts=prompts)])
    found = {answer.completion.name: answer.completion for answer in chain.from_iterable(groups)}
    return [found[problem.name] for problem in problems]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=160)
    count = parser.parse_args().problems
    rows = measure(count)
    print(INTRODUCTION, table(("prompt", "passed", "same program"), rows), conditions(), sep="\n\n")


if __name__ == "__main__":
    main()
