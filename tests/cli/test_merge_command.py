"""``flextune merge`` as the shell calls it: exit status, JSON, and one line for every failure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.command_line import Call
from tests.support.merges import Merge, changed, merge_of

from flextune.cli.json_formats import adapter

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Merge:
    return merge_of("llama", tmp_path_factory.mktemp("llama"))


def test_a_merge_says_what_it_did(flextune: Call, llama: Merge, tmp_path: Path) -> None:
    said = flextune("merge", llama.adapter, "-o", tmp_path / "merged")
    assert said.code == 0
    assert "verdict: equivalent" in said.out
    assert f"merged model: {tmp_path / 'merged'}" in said.out
    assert (tmp_path / "merged" / "model.safetensors").is_file()
    again = flextune("merge", llama.adapter, "-o", tmp_path / "merged")
    assert again.complaint.endswith("there is something in it already; choose another folder")


def test_exit_status_and_json_of_a_wrong_merge(flextune: Call, llama: Merge, tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("def f(x):\n")
    wrong = changed(llama, tmp_path / "wrong", lambda name, base, update: base + 2 * update)
    said = flextune(
        *("merge", llama.adapter, "--against", wrong, "--prompts", prompts, "--max-new-tokens", 2, "--json")
    )
    assert said.code == 4
    row = json.loads(said.out)
    adapter("merge").validate_json(said.out, strict=True)
    assert (row["verdict"], row["exit_code"], row["refused"]) == ("different", 4, False)
    assert row["faults"][0]["name"] == "alpha-twice"
    assert len(row["weights"]["changes"]) == 8


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "nothing to do: give -o DIR"),
        (["-o", "x", "--against", "y"], "-o and --against exclude each other"),
        (["-o", "x", "--dtype", "bf16"], "--dtype 'bf16' is none of auto, float32, bfloat16, float16"),
        (["-o", "x", "--onto", "int8"], "--onto 'int8' is none of weights, nf4, fp4"),
        (["-o", "x", "--rounding", "up"], "--rounding 'up' is none of nearest, stochastic"),
        (["-o", "x", "--benchmark", "rosetta"], "--prompts and --benchmark need --audit"),
        (["--audit", "--benchmark", "rosetta", "--prompts", "x"], "exclude each other: choose one"),
        (["--against", "nowhere", "--prompts", "none.txt"], "none.txt: cannot be read"),
    ],
)
def test_what_makes_no_sense_is_one_line(
    options: list[str], words: str, flextune: Call, llama: Merge
) -> None:
    assert words in flextune("merge", llama.adapter, *options).complaint
