"""An experiment of seconds."""

from __future__ import annotations

from pathlib import Path

from flextune.config import Experiment, parse_experiment

SMALL = """
name: small
train: {data: rosetta, lexicon: reserved, format: docstring, max_steps: 3, batch_size: 2, limit: 6,
        validation_size: 2, logging_steps: 1}
penalty: {strength: 0.02}
decode: [{max_new_tokens: 12, batch_size: 2}]
evaluate: [{language: py, limit: 5}]
arms:
  - {name: baseline, train: null}
  - {name: lora, penalty: null}
  - {name: fourier}
  - {name: fourier-merged, generate: {export: merged}}
"""


def small_experiment(model: Path, *overrides: str) -> Experiment:
    return parse_experiment(SMALL, where="small.yaml", overrides=[f"model={model}", *overrides])
