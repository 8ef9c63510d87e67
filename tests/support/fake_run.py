"""A run directory as a finished experiment leaves it, with outcomes drawn from a fixed seed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from flextune.records import Completion, Outcome, Problem, Score, Verdict, as_row
from flextune.statistics.scores_file import scores_json
from flextune.statistics.summary import compare_all, estimate

ARMS = ("baseline", "lora", "flex", "flex-merged")
SEEDS = ("0", "1", "2")
#: pass@1 aimed at, for the words of pretraining and for reserved words.
LEVELS: dict[tuple[str, str], dict[str, float]] = {
    ("py", "base"): {"baseline": 0.40, "lora": 0.42, "flex": 0.45, "flex-merged": 0.44},
    ("py", "reserved"): {"baseline": 0.02, "lora": 0.45, "flex": 0.35, "flex-merged": 0.34},
    ("java", "base"): {"baseline": 0.35, "lora": 0.10, "flex": 0.30, "flex-merged": 0.30},
    ("java", "reserved"): {"baseline": 0.02, "lora": 0.06, "flex": 0.12, "flex-merged": 0.12},
    ("js", "base"): {"baseline": 0.30, "lora": 0.26, "flex": 0.28, "flex-merged": 0.28},
    ("js", "reserved"): {"baseline": 0.0, "lora": 0.0, "flex": 0.0, "flex-merged": 0.0},
}
FAILURES: tuple[Outcome, ...] = ("wrong_answer", "exception", "compile_error", "timeout", "ended_early")
SHARES = (0.5, 0.15, 0.25, 0.05, 0.05)
HEADS = {
    "py": 'def {name}(values):\n    """{words}"""\n',
    "java": "class Problem {{\n    // {words}\n    static int {name}(int[] values) {{\n",
    "js": "// {words}\nfunction {name}(values) {{\n",
}
BODIES = {
    "py": """\
    total = 0
    for value in values:
        if value % {n} == 0:
            total += value
    return total""",
    "java": """\
        int total = 0;
        for (int value : values) {{
            if (value % {n} == 0) total += value;
        }}
        return total;""",
    "js": """\
  let total = 0;
  for (const value of values) {{
    if (value % {n} === 0) total += value;
  }}
  return total;
}}""",
}
TESTS = {
    "py": "assert {name}([1, 2, 3]) == 2",
    "java": """\
    }}
    public static void main(String[] args) {{
        assert {name}(new int[]{{1, 2, 3}}) == 2;
    }}
}}""",
    "js": "if ({name}([1, 2, 3]) !== 2) throw new Error('wrong');",
}


@dataclass
class FakeRun:
    """Writes the directory piece by piece."""

    path: Path
    problems: int = 40

    def write(self) -> Path:
        scores = [self.score(*where, arm) for where in LEVELS for arm in ARMS]
        self.trained("lora", penalty=False)
        self.trained("flex", penalty=True)
        self.finish([estimate(score) for score in scores])
        return self.path

    def score(self, language: str, lexicon: str, arm: str) -> Score:
        seeds = ("-",) if arm == "baseline" else SEEDS
        keys = {seed: f"{arm}-{language}-{lexicon}-{seed}" for seed in seeds}
        owner = "flex" if arm == "flex-merged" else arm
        trainings = {seed: None if seed == "-" else f"{owner}-{seed}" for seed in seeds}
        outcomes = {seed: self.evaluated(keys[seed], language, lexicon, arm, seed) for seed in seeds}
        return Score(arm, "rosetta", language, lexicon, "greedy", outcomes, dict(trainings), keys)

    def evaluated(
        self, key: str, language: str, lexicon: str, arm: str, seed: str
    ) -> dict[str, list[Outcome]]:
        # Difficulty belongs to the problem, so arms and seeds agree on much of it.
        ease = np.random.default_rng(7).random(self.problems)
        rng = np.random.default_rng([ARMS.index(arm), ord(seed), len(language), len(lexicon)])
        problems, completions, verdicts = [], [], []
        for i in range(self.problems):
            name = f"sum_divisible_{i:02}"
            words = f"Add up all values that divide by {i % 9 + 2}."
            ready = {"name": name, "words": words, "n": i % 9 + 2}
            ready_wrong = {**ready, "n": i % 9 + 1}
            passed = 0.8 * ease[i] + 0.2 * rng.random() < LEVELS[language, lexicon][arm]
            outcome: Outcome = "passed" if passed else FAILURES[rng.choice(len(FAILURES), p=SHARES)]
            problem = Problem(
                name=name,
                benchmark="rosetta",
                language=language,
                prompt=HEADS[language].format(**ready),
                tests=TESTS[language].format(**ready),
                lexicon=lexicon,
                reference=BODIES[language].format(**ready),
            )
            problems.append(problem)
            text = BODIES[language].format(**(ready if passed else ready_wrong))
            completions.append(Completion(name, 0, text, tokens=40))
            message = "" if passed else f"AssertionError: {name}([1, 2, 3]) returned 6, expected 2"
            verdicts.append(Verdict(name, 0, outcome, "run", message))
        folder = self.path / "evaluated" / key
        write_rows(folder / "problems.jsonl", map(as_row, problems))
        write_rows(folder / "completions.jsonl", map(as_row, completions))
        write_rows(folder / "verdicts.jsonl", map(as_row, verdicts))
        return {v.name: [v.outcome] for v in verdicts}

    def trained(self, arm: str, *, penalty: bool) -> None:
        for seed in SEEDS:
            rng = np.random.default_rng([len(arm), int(seed)])
            folder = self.path / "trained" / f"{arm}-{seed}"
            write_rows(folder / "training.jsonl", self.log(rng, penalty))
            decay = np.linspace(1.6, 0.4, 64) if penalty else np.ones(64)
            matrices = [
                {
                    "name": f"model.layers.{layer}.mlp.{module}.lora_{factor}",
                    "factor": factor,
                    "power": (decay * rng.gamma(20, 0.05, 64)).tolist(),
                    "high_share": 0.35 if penalty else 0.49,
                    "null_high_share": 0.5,
                }
                for layer in range(4)
                for module in ("gate_proj", "up_proj", "down_proj")
                for factor in "AB"
            ]
            (folder / "spectrum.json").write_text(json.dumps({"matrices": matrices}))

    def log(self, rng: np.random.Generator, penalty: bool) -> Iterable[dict[str, Any]]:
        for step in range(5, 305, 5):
            loss = 0.6 + 1.1 * np.exp(-step / 80) + 0.05 * rng.normal()
            yield {
                "step": step,
                "loss": float(loss),
                "penalty": float(0.02 * np.exp(-step / 150)) if penalty else 0.0,
                "learning_rate": 2e-4,
                "grad_norm": 0.5,
            }
            if step % 50 == 0:
                yield {"step": step, "eval_loss": float(loss + 0.08)}

    def finish(self, scores: list[Score]) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        experiment = {
            "name": "quickstart",
            "model": "rosetta",
            "adapter": {"rank": 8, "alpha": 16.0, "dropout": 0.05, "targets": "all", "layers": None},
            "train": {"data": "rosetta", "language": "py", "lexicon": "reserved", "epochs": 3.0},
            "penalty": {"kind": "fourier", "strength": 0.02, "cutoff": 0.5, "low": 1.0, "high": 0.1},
            "evaluate": [
                {"benchmark": "rosetta", "language": language, "lexicon": lexicon}
                for language, lexicon in LEVELS
            ],
            "seeds": [0, 1, 2],
            "arms": [{"name": "baseline", "train": None}, *({"name": arm} for arm in ARMS[1:])],
        }
        environment = {
            "command": "flextune quickstart",
            "commit": "0123456789abcdef",
            "versions": {"flextune": "0.1.0", "torch": "2.13.0", "peft": "0.21.0"},
            "hardware": {"cpu": "a processor", "cores": 2, "memory_gib": 8.0, "gpus": []},
        }
        (self.path / "experiment.yaml").write_text(yaml.safe_dump(experiment, sort_keys=False))
        (self.path / "environment.json").write_text(json.dumps(environment))
        text = scores_json("quickstart", "baseline", scores, compare_all(scores, "baseline"))
        (self.path / "scores.json").write_text(text)


def write_rows(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
