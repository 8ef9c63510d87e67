"""What the page says about how a penalty's controls are matched."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import yaml

from flextune.report.facts import facts
from flextune.report.run_data import read_run
from flextune.runs.run import Run

ARMS: list[dict[str, Any]] = [
    {"name": "baseline", "train": None},
    {"name": "lora", "penalty": None},
    {"name": "flex"},
    {"name": "flex-merged", "penalty": {"kind": "l2"}, "match": "penalty.strength"},
    {"name": "permuted", "penalty": {"kind": "permuted"}},
]


def controls(folder: Path, matched: dict[str, Any] | None) -> str | None:
    path = folder / "experiment.yaml"
    given = yaml.safe_load(path.read_text())
    given |= {"penalty": {"strength": 0.005}, "arms": ARMS, "match": {"arm": "flex", "seed": 1000}}
    path.write_text(yaml.safe_dump(given))
    if matched is not None:
        (folder / "matched.json").write_text(json.dumps(matched))
    return dict(facts(read_run(folder))).get("Controls")


def test_controls_are_called_by_the_size_that_they_are_matched_in(finished_run: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    assert controls(run, None) == "flex-merged, permuted: matched by trace"
    row = {"setting": "penalty.strength", "value": 0.0039, "norm": 4.88, "within": True, "trials": []}
    matched = {"arm": "flex", "norm": 4.9, "seed": 1000, "arms": {"flex-merged": row}}
    assert controls(run, matched) == (
        "permuted: matched by trace; flex-merged: matched by the update's norm"
        " (strength 0.0039: norm 4.88, flex's 4.9, seed 1000)"
    )
    missed = {**matched, "arms": {"flex-merged": {**row, "within": False}}}
    assert str(controls(run, missed)).endswith("seed 1000, outside of the tolerance)")


def test_a_run_without_controls_says_nothing_of_them(finished_run: Path) -> None:
    assert "Controls" not in dict(facts(read_run(finished_run)))


def test_what_was_run_is_said_in_words(finished_run: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished_run, tmp_path / "run"))
    run = Run(folder)
    for seed in "012":
        trained = run.trained(f"lora-{seed}")
        trained.describe(
            {"identity": "rosetta@abc", "examples": 300, "train": {"learning_rate": 0.005, "data": "rosetta"}}
        )
        log = [{"step": 1, "seconds": 0.5, "loss": 1.0}, {"step": 70, "seconds": 30.0, "loss": 0.5}]
        (trained.folder / "training.jsonl").write_text("".join(json.dumps(row) + "\n" for row in log))
        header = json.dumps(
            {"a": {"shape": [8, 64]}, "b": {"shape": [64, 8]}, "__metadata__": {"format": "pt"}}
        ).encode()
        trained.adapter.mkdir()
        (trained.adapter / "adapter_model.safetensors").write_bytes(
            len(header).to_bytes(8, "little") + header
        )
    run.note_work(
        {"stage": "generate", "model": "rosetta", "parameters": 1_400_000, "tokens": 9, "seconds": 3}
    )
    found = dict(facts(read_run(folder), [("Generated", "10 programs")]))
    assert found["Model"] == "rosetta (1,400,000 parameters), float32"
    assert found["Revision"] == "rosetta@abc"
    assert found["Adapter"].endswith("; 1,024 trained parameters")
    assert found["Training"] == "learning rate 0.005 (cosine), 70 or 300 steps, batch size 4, 300 examples"
    assert found["Trainings"] == "3 trainings, 30 s each, 2 min in all"
    assert found["Penalty"] == "fourier, strength 0.02 (lora, flex, flex-merged)"
    assert found["Decoding"] == "greedy, at most 512 tokens"
    assert found["Generated"] == "10 programs"
    assert found["Limits"] == "10 s of CPU, 60 s by the clock, 1,024 MiB a program"
    assert found["Machine"] == "a processor, 2 cores, 8 GiB of memory, no GPU"


def test_what_arms_have_of_their_own_is_said_in_place_of_what_no_arm_has(
    finished_run: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(finished_run, tmp_path / "run"))
    path = folder / "experiment.yaml"
    given = yaml.safe_load(path.read_text())
    own = {"judge": {"cpu_seconds": 4}, "decode": [{"strategy": "greedy", "max_new_tokens": 180}]}
    small = {"adapter": {"rank": 16, "alpha": 32, "targets": "mlp"}, "train": {"batch_size": 16}}
    large = {**small, "adapter": {"rank": 16, "alpha": 64, "targets": "all"}}
    whole: dict[str, Any] = {
        "adapter": None,
        "penalty": None,
        "train": {
            "batch_size": 8,
            "gradient_accumulation_steps": 2,
            "start": {"arm": "lora", "use": "merged"},
        },
    }
    names = ["lora", "flex", "flex-merged"]
    arms = [{"name": n, **own, **part} for n, part in zip(names, [small, large, whole], strict=True)]
    given["arms"] = [{"name": "baseline", "train": None, **own}, *arms]
    path.write_text(yaml.safe_dump(given))
    found = dict(facts(read_run(folder)))
    assert found["Adapter"] == (
        "LoRA: rank 16, alpha 32 or 64, dropout 0.05, targets mlp or all; none: all weights"
    )
    assert "batch size 16 or 8 × 2" in found["Training"]
    assert found["Training"].endswith("start (arm lora, use merged)")
    assert found["Limits"] == "4 s of CPU, 24 s by the clock, 1,024 MiB a program"
    assert found["Decoding"] == "greedy, at most 180 tokens"


def test_a_damaged_adapter_is_no_reason_to_fail(finished_run: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished_run, tmp_path / "run"))
    adapter = Run(folder).trained("lora-0").adapter
    adapter.mkdir()
    (adapter / "adapter_model.safetensors").write_bytes(b"\xff" * 64)
    assert "parameters" not in dict(facts(read_run(folder)))["Adapter"]
