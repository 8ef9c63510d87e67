"""What others add: a benchmark, a training source and a language, without a change to flextune."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.tiny import tiny_model

from flextune.config import TrainConfig, parse_experiment, schema
from flextune.judging import judge
from flextune.judging.languages import LANGUAGES as JUDGED
from flextune.judging.languages.python import Python
from flextune.records import Completion, Example, Problem
from flextune.registry import BENCHMARKS, TRAINING_SOURCES
from flextune.report.labels import benchmark_title, source_title
from flextune.report.settings_text import training_data
from flextune.runner.execute import RunOptions, run_experiment
from flextune.sources.benchmarks.base import Benchmark
from flextune.sources.training.base import TrainingSource

pytestmark = pytest.mark.slow

EXPERIMENT = """
name: outside
train: {data: countdown, max_steps: 2, batch_size: 2, validation_size: 2, logging_steps: 1}
decode: [{max_new_tokens: 4, batch_size: 2}]
evaluate: [{benchmark: sums, language: Python, limit: 2}]
arms: [{name: baseline, train: null}, {name: lora}]
"""


def sums(language: str, lexicon: str, limit: int | None, data_dir: Path | None) -> list[Problem]:
    return [Problem(f"sum-{n}", "sums", language, f"{n} + ", f"assert {n}") for n in range(1, 5)]


def countdown(train: TrainConfig, data_dir: Path | None) -> tuple[list[Example], list[Example]]:
    examples = [Example(f"count-{n}", f"# {n}\n", f"print({n})\n") for n in range(8)]
    return examples[:6], examples[6:]


@pytest.fixture
def added() -> Iterator[None]:
    source = TrainingSource("countdown", "Countdown", ("py",), countdown)
    benchmark = Benchmark("sums", "Sums of two", ("py", "js"), sums)
    with BENCHMARKS.temporarily("sums", benchmark), TRAINING_SOURCES.temporarily("countdown", source):
        yield


def test_a_benchmark_and_a_training_source_of_others_run_through_an_experiment(
    sandboxed: None, added: None, tmp_path: Path
) -> None:
    model = tiny_model(tmp_path / "model", max_position_embeddings=1024)
    experiment = parse_experiment(EXPERIMENT, where="outside.yaml", overrides=[f"model={model}"])
    result = run_experiment(experiment, tmp_path / "run", RunOptions())
    assert {(score.arm, score.benchmark, score.language, score.lexicon) for score in result.scores} == {
        ("baseline", "sums", "py", None),
        ("lora", "sums", "py", None),
    }
    [key] = (tmp_path / "run").glob("trained/*/key.json")
    row = json.loads(key.read_text())
    assert (row["train"]["data"], row["examples"], row["validation"]) == ("countdown", 6, 2)
    assert "Sums of two" in result.report.page.read_text(encoding="utf-8")


def test_names_of_others_are_in_the_schema_and_the_report(added: None) -> None:
    definitions = schema()["$defs"]
    assert "sums" in definitions["EvaluateConfig"]["properties"]["benchmark"]["anyOf"][0]["enum"]
    assert "countdown" in str(definitions["TrainConfig"]["properties"]["data"]["oneOf"][0])
    assert (benchmark_title("sums"), source_title("countdown")) == ("Sums of two", "Countdown")
    assert training_data({"data": "countdown", "language": "py", "lexicon": "base"}) == "Countdown, Python"


def test_a_run_can_be_reported_where_its_benchmark_is_not_installed() -> None:
    assert (benchmark_title("sums"), source_title("countdown")) == ("sums", "countdown")
    assert training_data({"data": "countdown", "language": "py"}) == "countdown, Python"


class Snake(Python):
    """Python by another name."""

    name = "snake"
    suffix = ".snake"


def test_a_language_of_others_is_judged(sandboxed: None) -> None:
    with JUDGED.temporarily("snake", Snake()):
        problem = Problem("p", "b", "snake", "def f():\n", "assert f() == 1")
        texts = ["    return 1\n", "    return 2\n"]
        verdicts = judge([(problem, Completion("p", n, text)) for n, text in enumerate(texts)])
        outcomes = {verdict.sample: verdict.outcome for verdict in verdicts}
    assert outcomes == {0: "passed", 1: "wrong_answer"}


BENCHMARK = """
from flextune.records import Problem
from flextune.registry import BENCHMARKS
from flextune.sources.benchmarks.base import Benchmark


def problems(language, lexicon, limit, data_dir):
    reference = "    return 1\\n"
    return [Problem("one", "plugged", language, "def f():\\n", "assert f() == 1", reference=reference)]


BENCHMARKS.register("plugged", Benchmark("plugged", "Plugged", ("snake", "py"), problems))
"""
LANGUAGE = """
from flextune.judging.languages.python import Python
from flextune.languages import LANGUAGES, LanguageNames


class Snake(Python):
    name = "snake"


LANGUAGE = Snake()
LANGUAGES.register("snake", LanguageNames("snake", "Snake", ("python4",)))
"""


@pytest.fixture
def plugin(tmp_path: Path) -> dict[str, str]:
    """The environment in which a distribution with a benchmark and a language is installed."""
    (tmp_path / "plug").mkdir()
    (tmp_path / "plug" / "__init__.py").write_text("")
    (tmp_path / "plug" / "benchmark.py").write_text(BENCHMARK)
    (tmp_path / "plug" / "language.py").write_text(LANGUAGE)
    info = tmp_path / "plug-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plug\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[flextune.benchmarks]\nplugged = plug.benchmark\n[flextune.languages]\nsnake = plug.language\n"
    )
    paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "200"}


def command(plugin: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "flextune", *arguments], capture_output=True, text=True, env=plugin
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_installed_distribution_adds_a_benchmark_and_a_language_to_the_command_line(
    sandboxed: None, plugin: dict[str, str]
) -> None:
    request = ("judge", "--benchmark", "plugged", "--language", "Python4", "--reference", "--json")
    counts = json.loads(command(plugin, *request))
    assert counts["languages"] == {"snake": {"total": 1, "passed": 1, "unknown": 0}}


@pytest.mark.parametrize("name", ["eval", "generate", "judge"])
def test_help_lists_the_benchmarks_that_are_installed(plugin: dict[str, str], name: str) -> None:
    page = command(plugin, name, "--help")
    assert "plugged" in page
    assert "humaneval-plus" in page


def test_plain_help_imports_no_benchmark_and_no_plugin(plugin: dict[str, str]) -> None:
    code = (
        "import contextlib, sys; from flextune.cli import main; sys.argv = ['flextune', '--help']\n"
        "with contextlib.suppress(SystemExit): main()\n"
        "print([n for n in sys.modules if n.startswith(('plug.', 'flextune.sources', 'flextune.rosetta'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=plugin)
    assert done.stdout.splitlines()[-1] == "[]"


def test_names_cost_neither_torch_nor_numpy() -> None:
    code = (
        "import sys\nfrom flextune.registry import BENCHMARKS, TRAINING_SOURCES\n"
        "assert BENCHMARKS.names() and TRAINING_SOURCES.names()\n"
        "print([name for name in ('torch', 'numpy', 'pydantic', 'datasets') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
