"""The seed of one answer: what is drawn for it depends on nothing else."""

from __future__ import annotations

import hashlib
import json

from flextune.records import Problem


def row_seed(seed: int, problem: Problem, sample: int) -> int:
    """64-bit seed of one answer: a hash of the run's seed, what names the problem, and the sample."""
    key = [seed, problem.benchmark, problem.language, problem.lexicon, problem.name, sample]
    return int.from_bytes(hashlib.sha256(json.dumps(key).encode()).digest()[:8], "big")
