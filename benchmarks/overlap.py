"""Near copies found by flextune's exact index, and by MinHash on the same runs of tokens.

Run as ``python -m benchmarks.overlap --data-dir DATA``; prints a table.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flextune.api.data import load_examples
from flextune.config import EvaluateConfig
from flextune.records import Example, Problem
from flextune.registry import BENCHMARKS
from flextune.sources.copies import PERMUTATIONS, SCHEME
from flextune.sources.loading import load_problems
from flextune.sources.overlap import NEAR, overlap
from flextune.sources.shingles import shingles

Part = tuple[str, str, str]


def exactly(examples: list[Example], problems: list[Problem]) -> set[Part]:
    copies = overlap(examples, problems).copies
    return {(copy.language, copy.problem, copy.part) for copy in copies}


def by_minhash(examples: list[Example], problems: list[Problem]) -> set[Part]:
    """Jaccard index of at least ``NEAR`` with an example, its prompt or its completion."""
    from datasketch import MinHash, MinHashLSH

    def signature(runs: frozenset[int]) -> Any:
        made = MinHash(PERMUTATIONS, hashfunc=int, scheme=SCHEME)
        made.update_batch(runs)
        return made

    index = MinHashLSH(threshold=NEAR, num_perm=PERMUTATIONS)
    for problem in problems:
        for part, text in (("prompt", problem.prompt), ("solution", problem.reference or "")):
            if runs := shingles(text):
                index.insert((problem.language, problem.name, part), signature(runs))
    texts = [text for e in examples for text in (e.prompt, e.completion, e.prompt + e.completion)]
    return {part for text in texts if (runs := shingles(text)) for part in index.query(signature(runs))}


def timed(find: Callable[[], set[Part]]) -> tuple[set[Part], float]:
    start = time.process_time()
    return find(), time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path)
    folder = parser.parse_args().data_dir
    examples, _ = load_examples("mbpp", data_dir=folder, validation_size=0)
    problems = [
        problem
        for name in ("humaneval", "multipl-e", "mbpp")
        for language in BENCHMARKS.get(name).languages
        for problem in load_problems(EvaluateConfig(benchmark=name, language=language), folder)
    ]
    exact, exact_seconds = timed(lambda: exactly(examples, problems))
    hashed, hashed_seconds = timed(lambda: by_minhash(examples, problems))
    print(f"{len(examples)} training examples, {len(problems)} problems, from a share of {NEAR:g}\n")
    print("| | near copies | CPU seconds |\n|---|---:|---:|")
    print(f"| exact index (share of the problem's runs) | {len(exact)} | {exact_seconds:.1f} |")
    print(f"| MinHash, {PERMUTATIONS} permutations (Jaccard) | {len(hashed)} | {hashed_seconds:.1f} |")
    print(f"\nfound by both: {len(exact & hashed)}; by MinHash alone: {len(hashed - exact)}")


if __name__ == "__main__":
    main()
