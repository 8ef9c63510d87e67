"""The name of every file of a run."""

from __future__ import annotations

EXPERIMENT = "experiment.yaml"
ENVIRONMENT = "environment.json"
TUNED = "tuned.json"
MATCHED = "matched.json"
SWEPT = "swept.json"
SCORES = "scores.json"
PAGE = "report.html"
#: What generating took, a line for each time that a model was asked.
WORK = "work.jsonl"
LOCK = ".lock"

#: Where a cluster's tasks see that they share the folder, and which key a task is at.
LOCKS = "locks"
#: The record of a sweep at work: its trials, and who works on what.
SWEEP = "sweep"
#: Folders; below each a folder for every key.
TRAINED, GENERATED, JUDGED = "trained", "generated", "judged"
#: Where format 1 kept completions and verdicts together.
EVALUATED = "evaluated"

#: In every keyed folder: what the key stands for, in words.
KEY = "key.json"

#: In a trained folder: audits of merges of its adapter.
MERGES = "merges"
TRAINING_LOG = "training.jsonl"
SPECTRUM = "spectrum.json"
#: Which problems were solved while it trained, a line for each evaluation.
WATCHED = "pass_at_1.jsonl"
DIVERGED = "diverged.json"
#: Where an unfinished training goes on from; removed when it has finished.
CHECKPOINTS = "checkpoints"
#: PEFT folder; it appears when the training has finished.
ADAPTER = "adapter"
#: A model folder, which appears when a training of all weights has finished.
MODEL = "model"
#: A model folder, where an arm's adapter is to be merged and ``flextune train`` was asked.
MERGED = "merged"
#: The adapter of the last good step, where the loss became NaN.
LAST_GOOD = "last_good"
ADAPTER_CONFIG = "adapter_config.json"
MODEL_CONFIG = "config.json"

PROBLEMS = "problems.jsonl"
#: What the model was given, where that is not the problems' own prompts.
PROMPTS = "prompts.jsonl"
COMPLETIONS = "completions.jsonl"
VERDICTS = "verdicts.jsonl"

#: Files that hold what was asked for, and nothing that was found.
ASKED = frozenset({EXPERIMENT, ENVIRONMENT, LOCK, KEY, PROBLEMS})
