"""generate and eval ask a server, and go on where they were stopped."""

from __future__ import annotations

import json
import time
from multiprocessing import get_context
from pathlib import Path

import pytest
from tests.support.command_line import Call, read_lines
from tests.support.serving import serving

from flextune.data.samples.reading import read_samples
from flextune.progress import Silent
from flextune.runner.generate_file import generate_file
from flextune.runner.request import model_request
from flextune.sources.own import own_problems

ASKED = ("--benchmark", "rosetta", "--limit", "5", "--temperature", "0.8", "--n", "4")


def samples(file: Path) -> dict[tuple[str, int], str]:
    rows = read_lines(file)
    found = {(row["name"], row["sample"]): row["text"] for row in rows}
    assert len(found) == len(rows)
    return found


@pytest.mark.slow
def test_generate_asks_a_server_and_goes_on_where_it_failed(flextune: Call, tmp_path: Path):
    output = tmp_path / "made.jsonl"
    with serving() as fake:
        whole = flextune("generate", "base", "--server", fake.url, *ASKED, "-o", tmp_path / "whole.jsonl")
        assert whole.code == 0, whole.err
    expected = samples(tmp_path / "whole.jsonl")
    assert len(expected) == 20
    with serving(refuse=lambda body: (400, "no more") if len(fake.requests) > 15 else None) as fake:
        said = flextune("generate", "base", "--server", fake.url, *ASKED, "-o", output)
        assert "HTTP 400 (no more)" in said.complaint
        first = samples(output)
        assert 0 < len(first) < 20
        assert first.items() <= expected.items()
    # Another port is the same server.
    with serving() as fake:
        assert flextune("generate", "base", "--server", fake.url, *ASKED, "-o", output).code == 0
        assert samples(output) == expected
        # Six requests look at the server first.
        assert len(fake.requests) == 6 + 20 - len(first)
        asked = len(fake.requests)
        assert flextune("generate", "base", "--server", fake.url, *ASKED, "-o", output).code == 0
        assert len(fake.requests) == asked


@pytest.mark.processes
def test_a_killed_generate_loses_and_doubles_nothing(tmp_path: Path):
    output = tmp_path / "made.jsonl"
    with serving(delay=0.05) as fake:
        process = get_context("fork").Process(target=generate, args=(fake.url, output))
        process.start()
        deadline = time.monotonic() + 120
        while process.is_alive() and not (output.exists() and output.read_bytes().count(b"\n") > 3):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.kill()
        process.join()
        before = output.read_bytes().count(b"\n")
        assert 3 < before < 20
        fake.delay = 0.0
        generate(fake.url, output)
    found = samples(output)
    assert len(found) == len(set(found.values())) == 20


def generate(url: str, output: Path) -> None:
    """As the command does."""
    decode = {"strategy": "sample", "temperature": 0.8, "n": 4}
    server = {"url": url, "concurrency": 2}
    request = model_request("base", benchmark="rosetta", limit=5, decode=decode, server=server)
    generate_file(request, output, data_dir=None, reporter=Silent())


def test_nothing_is_written_where_no_server_is(flextune: Call, tmp_path: Path):
    with serving() as fake:
        pass
    said = flextune("generate", "base", "--server", fake.url, *ASKED, "-o", tmp_path / "made.jsonl")
    assert "no connection" in said.complaint
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--server", "nonsense"), "--server: a URL begins with http:// or https://"),
        (("--server-kind", "vllm"), "--server-kind needs --server URL"),
        (("--no-canary",), "--no-canary needs --server URL"),
        (("--server", "http://h/v1", "--server-kind", "x"), "--server-kind: Input should be 'vllm'"),
        (("--server", "http://h/v1", "--concurrency", "0"), "--concurrency: Input should be greater"),
        (("--server", "http://h/v1", "--merged"), "--server: export: merged needs engine: local"),
    ],
)
def test_a_wrong_option_is_one_line(flextune: Call, tmp_path: Path, options: tuple[str, ...], complaint: str):
    said = flextune("generate", "base", "--benchmark", "rosetta", *options, "-o", tmp_path / "made.jsonl")
    assert said.complaint.startswith(complaint)


@pytest.mark.slow
@pytest.mark.usefixtures("sandboxed")
def test_eval_extends_a_run_of_the_same_server_at_another_address(flextune: Call, tmp_path: Path):
    asked = ("--benchmark", "rosetta", "--limit", "2", "--runs", tmp_path)
    for language in ("py", "js"):
        with serving(models=("base", "flex")) as fake:
            given = ("--server", fake.url, "--served-adapter", "flex", "--language", language)
            said = flextune("eval", "base", *asked, *given)
            assert said.code == 0, said.err
    (run,) = tmp_path.iterdir()
    # The base model on the same server, too.
    assert len(list((run / "generated").iterdir())) == 4
    scores = json.loads((run / "scores.json").read_text())["scores"]
    assert sorted(score["arm"] for score in scores) == ["base-openai"] * 2 + ["flex-openai"] * 2


@pytest.mark.parametrize("form", ["evalplus", "multipl-e"])
def test_generate_writes_what_another_tool_reads_and_judge_reads_it_back(
    flextune: Call, tmp_path: Path, real_data: Path, form: str
):
    output = tmp_path / "made"
    problems = ("--benchmark", "humaneval", "--limit", "3", "--data-dir", real_data)
    asked = (*problems, "--format", form, "-o", output)
    with serving() as fake:
        said = flextune("generate", "base", "--server", fake.url, *asked)
        assert said.code == 0, said.err
        asked_before = len(fake.requests)
        assert flextune("generate", "base", "--server", fake.url, *asked).code == 0
        assert len(fake.requests) == asked_before
    assert len(read_lines(tmp_path / "made.completions.jsonl")) == 3
    known = own_problems(tmp_path / "made.completions.jsonl.problems.jsonl", "py")
    pairs, skipped = read_samples(output, known)
    assert (len(pairs), skipped) == (3, [])


def test_a_format_does_not_replace_a_file_of_something_else(flextune: Call, tmp_path: Path):
    output = tmp_path / "notes"
    output.write_text("mine")
    with serving() as fake:
        asked = ("--server", fake.url, *ASKED, "--format", "multipl-e", "-o", output)
        assert "notes: is there already" in flextune("generate", "base", *asked).complaint
    assert output.read_text() == "mine"
