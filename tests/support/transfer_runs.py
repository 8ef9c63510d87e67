"""Runs whose arms learn and forget as much as is asked for, drawn from a fixed seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from flextune.records import Outcome, Score
from flextune.statistics.scores_file import scores_json
from flextune.statistics.simulation import PROBLEM_SPREAD, chances
from flextune.statistics.summary import compare_all, estimate

#: Settings of an arm, what it learns and what it keeps, as shares.
Arm = tuple[dict[str, Any], float, float]

#: Fourier and L2 lie on one line, scaled adapters below it, one arm is alone.
ARMS: dict[str, Arm] = {
    "baseline": ({"train": None}, 0.02, 0.50),
    "lora": ({"penalty": None}, 0.60, 0.20),
    "fourier-weak": ({"penalty": {"kind": "fourier", "strength": 0.0025}}, 0.50, 0.28),
    "fourier-strong": ({"penalty": {"kind": "fourier", "strength": 0.01}}, 0.30, 0.42),
    "l2-weak": ({"penalty": {"kind": "l2", "strength": 0.002}}, 0.52, 0.265),
    "l2-strong": ({"penalty": {"kind": "l2", "strength": 0.008}}, 0.25, 0.455),
    "scaled-0.6": ({"penalty": None, "generate": {"scale": 0.6}}, 0.45, 0.12),
    "scaled-0.4": ({"penalty": None, "generate": {"scale": 0.4}}, 0.20, 0.18),
    "plain-rank": ({"penalty": None, "adapter": {"targets": "mlp"}}, 0.40, 0.36),
}
#: Language and lexicon to whether it is learned or kept.
SETTINGS = {("py", "reserved"): "learned", ("py", "base"): "kept", ("java", "base"): "kept",
            ("js", "base"): "kept", ("java", "reserved"): "none"}  # fmt: skip


def transfer_run(
    folder: Path,
    arms: Mapping[str, Arm] = ARMS,
    *,
    seeds: int = 4,
    problems: int = 200,
    seed_spread: float = 0.02,
    seed: int = 0,
    settings: Sequence[tuple[str, str | None]] = tuple(SETTINGS),
    **experiment: Any,
) -> Path:
    """Write ``scores.json`` and ``experiment.yaml``."""
    rng = np.random.default_rng(seed)
    ease = rng.normal(size=problems)
    luck = rng.normal(scale=seed_spread, size=(2, seeds))
    scores = []
    for language, lexicon in settings:
        for arm, (given, learned, kept) in arms.items():
            trained = given.get("train", True) is not None
            names = [str(number) for number in range(seeds)] if trained else ["-"]
            what = SETTINGS.get((language, lexicon or "base"), "kept")
            rate, shift = (learned, luck[0]) if what == "learned" else (kept, luck[1])
            rate = 0.03 if what == "none" else rate
            outcomes = {
                name: _outcomes(min(max(rate + (shift[place] if trained else 0.0), 0.005), 0.995), ease, rng)
                for place, name in enumerate(names)
            }
            trainings = {name: f"{arm}-{name}" if trained else None for name in names}
            scores.append(Score(arm, "rosetta", language, lexicon, "greedy", outcomes, trainings))
    done = [estimate(score) for score in scores]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scores.json").write_text(
        scores_json("transfer", "baseline", done, compare_all(done, "baseline"))
    )
    evaluated = [
        {"benchmark": "rosetta", "language": language, **({"lexicon": lexicon} if lexicon else {})}
        for language, lexicon in settings
    ]
    described = {
        "name": "transfer",
        "model": "rosetta",
        "train": {"data": "rosetta", "language": "py", "lexicon": "reserved", "max_steps": 100},
        "evaluate": evaluated,
        "seeds": list(range(seeds)),
        "arms": [{"name": name, **given} for name, (given, _, _) in arms.items()],
        **experiment,
    }
    (folder / "experiment.yaml").write_text(yaml.safe_dump(described, sort_keys=False))
    return folder


def _outcomes(rate: float, ease: np.ndarray, rng: np.random.Generator) -> dict[str, list[Outcome]]:
    passed = rng.random(len(ease)) < chances(rate, PROBLEM_SPREAD, ease)
    words: tuple[Outcome, Outcome] = ("wrong_answer", "passed")
    return {f"p{number:03}": [words[one]] for number, one in enumerate(passed.astype(int).tolist())}
