"""Whatever a user can meet is one line without a traceback."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.command_line import Call, write_lines

from flextune.cli import app
from flextune.judging import isolation

pytestmark = pytest.mark.slow


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own; ``mount -o remount`` changes its size."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def resize(disk: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Make ``flextune runs`` meet an error."""

    def fail(root: Path) -> None:
        raise error

    monkeypatch.setattr("flextune.runs.run.list_runs", fail)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name: x\ntrian: {}\n", ": unknown key 'trian', did you mean 'train'?"),
        ("name: x\ntrain: {epoch: 1}\n", ": unknown key 'train.epoch', did you mean 'epochs'?"),
        (
            "name: x\ntrain: {data: mbp}\n",
            ": train.data: unknown training source 'mbp', did you mean 'mbpp",
        ),
        ("name: x\nevaluate: [{benchmark: nonsense}]\n", ": evaluate.0.benchmark: unknown benchmark 'nonse"),
        ("name: [\n", ":2: not valid YAML"),
        ("- a\n- b\n", ": an experiment is a mapping of keys, as in `name: mine` (found: a list)"),
        ("name: x\n", "experiment 'x' evaluates nothing: add for example evaluate:"),
        (None, ": cannot read the experiment file (No such file or directory)"),
    ],
)
def test_a_bad_experiment_file_is_one_line(flextune: Call, tmp_path: Path, text: str | None, complaint: str):
    file = tmp_path / "bad.yaml"
    if text is not None:
        file.write_text(text)
    where = str(file) if complaint.startswith(":") else ""
    said = flextune("run", file, "--runs", tmp_path / "runs")
    assert said.complaint.startswith(where + complaint)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("model=/no/such/model", "model '/no/such/model': no such folder"),
        ("evaluate.0.language=klingon", "rosetta: unknown language 'klingon' (known: java, js, py)"),
        ("evaluate=[{benchmark: multipl-e, language: klingon}]", "multipl-e: unknown language 'klingon'"),
        ("train={data: mbpp}", "--data-dir nowhere: no such folder; give the one that holds mbpp.jsonl"),
        ("adapter.targets=[q_prok]", "target module 'q_prok' is not in this model, did you mean 'q_proj'?"),
        (
            "adapter.targets=everything",
            "Input should be 'attention', 'standard', 'mlp', 'all' or 'all-linear'",
        ),
        ("adapter.layers=0-9", "layers '0-9': this model has layers 0-1, not 2"),
        ("device=cuda:99", "device 'cuda:99': "),
        ("nonsense", "'nonsense': an override is key.path=value"),
    ],
)
def test_a_setting_that_does_not_fit_is_one_line(
    flextune: Call, experiment_file: Path, tmp_path: Path, override: str, complaint: str
):
    said = flextune("train", experiment_file, override, "--data-dir", "nowhere", "--runs", tmp_path)
    assert complaint in said.complaint


def test_a_folder_that_is_no_model_is_one_line(flextune: Call, tmp_path: Path):
    said = flextune("eval", tmp_path, "--benchmark", "rosetta", "--runs", tmp_path / "runs")
    assert (
        said.complaint == f"model {str(tmp_path)!r}: no config.json in {tmp_path}; it is not a model folder"
    )


def test_damaged_weights_are_one_line(flextune: Call, model_folder: Path, tmp_path: Path):
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for path in model_folder.iterdir():
        data = path.read_bytes()
        (damaged / path.name).write_bytes(data[:-100] if path.suffix == ".safetensors" else data)
    said = flextune("generate", damaged, "--benchmark", "rosetta", "-o", tmp_path / "made.jsonl")
    assert said.complaint.startswith(f"model {str(damaged)!r}")
    assert not list(tmp_path.glob("made.*"))


def test_a_run_without_bubblewrap_refuses_before_it_trains(
    flextune: Call, experiment_file: Path, tmp_path: Path, only_on_path: Any
):
    only_on_path()
    complaint = flextune("run", experiment_file, "--runs", tmp_path / "runs").complaint
    assert "apt-get install bubblewrap" in complaint
    assert "--no-sandbox" in complaint
    assert not list(tmp_path.glob("runs/*/trained"))


@pytest.mark.usefixtures("sandboxed")
@pytest.mark.slow
def test_a_full_disk_is_one_line_and_the_run_goes_on_after_it(
    flextune: Call, experiment_file: Path, finished: Path, small_disk: Path
):
    run = small_disk / "small"
    stages = {"4k": "environment.json", "16k": "generated/", "40k": "trained/", "1m": "report.html"}
    for size, file in stages.items():
        resize(small_disk, size)
        complaint = flextune("run", experiment_file, "--runs", small_disk).complaint
        assert complaint.startswith(f"{run}/{file}")
        assert "No space left on device" in complaint
        assert complaint.endswith("; free some space and run the same command again to continue")
    resize(small_disk, "32m")
    said = flextune("run", experiment_file, "--runs", small_disk, "--json")
    assert said.code == 0
    assert "1 of 1 trainings" in said.err
    assert "train lora" not in said.err
    assert (run / "scores.json").read_bytes() == (finished / "small" / "scores.json").read_bytes()
    assert not [path for path in small_disk.rglob("*") if "part" in path.name]


def test_full_standard_output_is_one_line():
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "flextune", "schema"]
        said = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert said.returncode == 1
    assert said.stderr.startswith("flextune: No space left on device; free some space")
    assert said.stderr.count("\n") == 1


@pytest.mark.parametrize("command", [["schema"], ["--version"], ["rosetta", "rows", "--limit", "40"]])
def test_a_reader_that_goes_away_is_no_error_to_talk_of(command: list[str]):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as gone:
        argv = [sys.executable, "-m", "flextune", *command]
        said = subprocess.run(argv, stdout=gone, stderr=subprocess.PIPE, text=True, check=False)
    assert (said.returncode, said.stderr) == (1, "")


def test_a_read_only_folder_is_one_line(experiment_file: Path, tmp_path: Path):
    """Root may write anywhere but on a disk that is mounted read-only."""
    bubblewrap = isolation().bubblewrap
    if not bubblewrap:
        pytest.skip("bubblewrap is not installed")
    command = [bubblewrap, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    # Libraries of the training want some temporary folder when they are imported.
    command += ["--tmpfs", "/var/tmp", "--"]
    command += [sys.executable, "-B", "-m", "flextune", "train", str(experiment_file), "--runs"]
    said = subprocess.run([*command, str(tmp_path / "runs")], capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert said.stderr == f"flextune: {tmp_path}/runs: Read-only file system\n"


def test_an_output_folder_that_is_a_file_is_one_line(flextune: Call, tmp_path: Path):
    (tmp_path / "file").write_text("")
    rows = [{"name": "p", "language": "py", "prompt": "", "tests": "", "stop_tokens": []}]
    problems = write_lines(tmp_path / "rows.jsonl", rows)
    samples = write_lines(tmp_path / "samples.jsonl", [{"name": "p", "completion": ""}])
    given = ("--problems", problems, "--samples", samples)
    said = flextune("judge", *given, "-o", tmp_path / "file" / "verdicts.jsonl")
    assert f"there is no folder {tmp_path}/file" in said.complaint


@pytest.mark.parametrize(
    ("error", "complaint"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "/runs"), "/runs: Permission denied"),
        (OSError(errno.EDQUOT, os.strerror(errno.EDQUOT), "/runs"), "/runs: Disk quota exceeded; free some"),
        (OSError("the disk is gone"), "the disk is gone"),
    ],
)
def test_an_error_of_the_system_is_one_line(
    flextune: Call, monkeypatch: pytest.MonkeyPatch, error: OSError, complaint: str
):
    raising(monkeypatch, error)
    assert flextune("runs").complaint.startswith(complaint)


def test_control_c_is_one_line_and_130(flextune: Call, monkeypatch: pytest.MonkeyPatch):
    raising(monkeypatch, KeyboardInterrupt())
    said = flextune("runs")
    assert said.code == 130
    assert said.out == ""
    assert said.err == f"flextune: {app._INTERRUPTED}\n"


def test_a_mistake_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch):
    raising(monkeypatch, ZeroDivisionError("ours"))
    monkeypatch.setattr(sys, "argv", ["flextune", "runs"])
    with pytest.raises(ZeroDivisionError, match="ours"):
        app.run()
