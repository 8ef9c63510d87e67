"""``import flextune as ft``."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.judged import needs_toolchain
from tests.support.tiny import tiny_model

import flextune as ft

ROOT = Path(__file__).parents[1]


def test_every_public_name_is_there() -> None:
    for name in ft.__all__:
        assert getattr(ft, name) is not None
        assert name in dir(ft)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'flextune' has no attribute 'nothing'"):
        ft.nothing


def test_importing_flextune_loads_nothing_else() -> None:
    code = (
        "import sys, flextune; flextune.__version__; "
        "print(sorted(m for m in sys.modules if m.split('.')[0] in "
        "('torch', 'transformers', 'pydantic', 'plotly', 'numpy', 'yaml') or m.startswith('flextune.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_planning_and_reading_need_no_torch() -> None:
    code = (
        "import sys, flextune as ft; ft.load_problems('rosetta', limit=2); ft.Experiment(name='x'); "
        "ft.Recipe(); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("models") / "tiny", max_position_embeddings=1024)


def test_an_experiment_runs_resumes_and_is_opened_again(
    sandboxed: None, model_folder: Path, tmp_path: Path
) -> None:
    raw = {
        "name": "small",
        "model": str(model_folder),
        "train": {"data": "rosetta", "max_steps": 2, "batch_size": 2, "limit": 4, "validation_size": 0},
        "decode": [{"max_new_tokens": 8}],
        "evaluate": [{"language": "py", "limit": 3}],
        "arms": [{"name": "base", "train": None}, {"name": "lora"}],
    }
    run = ft.run(raw, "seeds=[1]", runs=tmp_path)
    assert run.experiment.seeds == [1]
    assert run.page.is_file()
    assert [comparison.arm for comparison in run.comparisons] == ["lora"]
    (trained,) = run.trainings()
    assert any("loss" in line for line in trained.log())
    again = ft.run(ft.Experiment.model_validate(raw), "seeds=[1]", runs=tmp_path)
    assert [one.key for one in again.trainings()] == [trained.key]
    opened = ft.open_run("small", tmp_path)
    assert opened.scores == run.scores
    table = opened.scores.to_pandas()
    assert set(table.arm) == {"base", "lora"}
    assert set(table.metric) == {"pass@1"}


def test_an_adapter_is_trained_on_examples_of_ones_own(model_folder: Path, tmp_path: Path) -> None:
    examples = [ft.Example(str(number), "ab", "xyz" * (number + 1)) for number in range(4)]
    recipe = ft.Recipe(adapter={"rank": 2}, train={"max_steps": 2, "max_length": 32})
    adapter = ft.train(str(model_folder), examples, recipe, tmp_path / "mine")
    assert (adapter / "adapter_config.json").is_file()


def test_a_mistake_in_a_mapping_is_named_as_in_a_file(tmp_path: Path) -> None:
    with pytest.raises(ft.FlextuneError, match="unknown key 'trian', did you mean 'train'"):
        ft.run({"name": "x", "trian": {}}, runs=tmp_path)


def python_block(file: Path, heading: str) -> str:
    """The first block of Python under a heading."""
    section = file.read_text(encoding="utf-8").partition(f"\n{heading}\n")[2]
    code = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert code is not None
    assert len([line for line in code[1].splitlines() if line.strip()]) <= 13
    return code[1]


@pytest.fixture
def place(sandboxed: None, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an experiment in it, which is small."""
    (tmp_path / "experiment.yaml").write_text(
        f"name: mine\nmodel: {model_folder}\n"
        "train: {data: rosetta, max_steps: 2, batch_size: 2, limit: 4, validation_size: 0}\n"
        "decode: [{max_new_tokens: 8}]\nevaluate: [{language: java, limit: 3}]\nseeds: [0, 1]\n"
        "arms: [{name: baseline, train: null}, {name: lora}]\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_the_tutorials_data_are_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(python_block(ROOT / "docs" / "tutorial.md", "## 1. Your data"), {})
    training, held_out = ft.load_examples("mine.jsonl", validation_size=16)
    assert (len(training), len(held_out)) == (2384, 16)


@pytest.mark.slow
@pytest.mark.toolchain
def test_lines_of_the_documents_run_as_they_stand(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    needs_toolchain("java")
    exec(python_block(ROOT / "docs" / "experiments.md", "## From Python"), {})
    lines = capsys.readouterr().out.splitlines()
    assert any("pass@1" in line and "lora" in line for line in lines)
    assert any(line.endswith("runs/mine/report.html") for line in lines)
    assert [line.split()[-1] for line in lines[-3:]] == ["passed"] * 3


@pytest.mark.slow
@pytest.mark.toolchain
def test_lines_of_the_readme_run_after_the_quickstart(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    needs_toolchain("java")
    ft.run("experiment.yaml", "name=quickstart")
    exec(python_block(ROOT / "README.md", "## Sixty seconds"), {})
    compared, *judged = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"lora - baseline: [\d.]+% to [\d.]+%, \w+", compared)
    assert [line.split()[-1] for line in judged] == ["passed"] * 3
