"""Without torch every command works, or names the extra that it needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.mistakes import FILES

#: In a process of its own: what another test has imported can no longer be missing.
WITHOUT_TORCH = """
import contextlib, importlib.machinery, io, json, shlex, sys

real = importlib.machinery.PathFinder.find_spec
missing = {"torch", "transformers", "peft", "accelerate", "safetensors"}
importlib.machinery.PathFinder.find_spec = classmethod(
    lambda cls, name, *rest: None if name.partition(".")[0] in missing else real(name, *rest)
)
from flextune.cli.app import run

for command in sys.stdin.read().splitlines():
    sys.argv = ["flextune", *shlex.split(command)]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            run()
        except SystemExit as done:
            code = done.code
    print(json.dumps([command, code, err.getvalue()]))
"""
NEED_TORCH = [
    "run file.yaml",
    "run file.yaml --plan",
    "train file.yaml",
    "quickstart --plan",
    "reproduce --plan",
    "sweep sweep.yaml --plan",
    "eval rosetta --limit 1",
    "generate rosetta -o made.jsonl",
    "merge notok -o merged",
    "merge notok --audit",
    "spectrum notok",
    "rosetta pretrain folder",
]
NEED_NONE = [
    "score verdicts.jsonl",
    "compare verdicts.jsonl other.jsonl",
    "overlap rosetta --benchmark rosetta --language java",
    "power --problem-count 20 --seeds 1",
    "runs",
    "list models",
    "list prompts",
    "schema",
    "init",
]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """Command to its status and what it wrote to standard error."""
    folder: Path = tmp_path_factory.mktemp("base")
    sweep = FILES["file.yaml"].partition("arms:")[0] + "sweep: {keys: {adapter.rank: [2, 4]}, search: grid}\n"
    files = {**FILES, "sweep.yaml": sweep, "other.jsonl": FILES["verdicts.jsonl"]}
    files |= {"notok/adapter_config.json": "{}", "notok/adapter_model.safetensors": ""}
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH],
        input="\n".join([*NEED_TORCH, *NEED_NONE]),
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert not (folder / "runs").exists()
    return {command: (code, err) for command, code, err in rows}


@pytest.mark.slow
@pytest.mark.parametrize("command", NEED_TORCH)
def test_what_needs_torch_names_the_extra(said: dict[str, tuple[int, str]], command: str) -> None:
    code, err = said[command]
    assert code == 1
    assert err.splitlines()[-1].endswith(" is not installed: pip install 'flextune[train]'")
    assert err.count("flextune: ") == 1


@pytest.mark.slow
@pytest.mark.parametrize("command", NEED_NONE)
def test_the_rest_works_without_torch(said: dict[str, tuple[int, str]], command: str) -> None:
    assert said[command][0] == 0, said[command][1]
