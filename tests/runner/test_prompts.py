"""Prompts of an experiment from its file to its page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flextune.config import parse_experiment
from flextune.errors import FlextuneError
from flextune.files.lines import read_lines
from flextune.generation.prompts.template import find_template
from flextune.progress import Silent
from flextune.runner.execute import RunOptions, RunResult, run_experiment
from flextune.runner.generate_file import generate_file
from flextune.runner.request import model_request

EXPERIMENT = """
name: prompts
model: rosetta
train: null
decode: [{max_new_tokens: 60}]
evaluate: [{language: java, limit: 2}]
arms:
  - {name: plain}
  - {name: translated, generate: {prompt: translation}}
  - {name: helped, generate: {stops: program}}
"""
WHOLE = "greedy to the program's end"


@pytest.fixture(scope="module")
def result(sandboxed: None, tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    experiment = parse_experiment(EXPERIMENT, where="prompts.yaml")
    return run_experiment(experiment, tmp_path_factory.mktemp("runs") / "prompts", RunOptions())


@pytest.mark.slow
@pytest.mark.toolchain
def test_a_translation_is_posed_with_the_python_solution_and_judged_by_the_same_tests(
    result: RunResult,
) -> None:
    scores = {(score.arm, score.decoding): score for score in result.scores}
    assert set(scores) == {(arm, "greedy") for arm in ("plain", "translated", "helped")} | {("helped", WHOLE)}
    plain, translated = (
        result.run.generated(scores[arm, "greedy"].generations["-"]) for arm in ("plain", "translated")
    )
    assert translated.problems() == plain.problems()
    assert set(scores["translated", "greedy"].outcomes["-"]) == {p.name for p in plain.problems()}
    prompts = read_lines(translated.folder / "prompts.jsonl")
    for row, problem in zip(prompts, plain.problems(), strict=True):
        assert row["text"].startswith("def solve(")
        assert row["text"].endswith(f"// The same function in Java:\n\n{problem.prompt}")
    assert not (plain.folder / "prompts.jsonl").exists()
    template = find_template("translation")
    settings = json.loads((translated.folder / "key.json").read_text())
    assert settings["prompt"]["revision"] == template.revision
    page = result.report.page.read_text()
    assert f"Prompt template translation {template.revision}" in page
    assert "The same function in {{language}}" in page


@pytest.mark.slow
@pytest.mark.toolchain
def test_the_benchmarks_own_stops_give_the_same_answers_beside_the_programs_end(result: RunResult) -> None:
    scores = {(score.arm, score.decoding): score for score in result.scores}
    plain, helped, whole = scores["plain", "greedy"], scores["helped", "greedy"], scores["helped", WHOLE]
    assert helped.outcomes == plain.outcomes
    assert helped.generations == whole.generations != plain.generations
    assert helped.judgings != whole.judgings
    answers = [result.run.generated(score.generations["-"]).completions() for score in (plain, helped)]
    for key, completion in answers[0].items():
        assert answers[1][key].text == completion.text
        assert answers[1][key].program is not None


@pytest.mark.parametrize(
    ("generate", "complaint"),
    [
        ("prompt: chatt", "unknown template 'chatt', did you mean 'chat'"),
        ("prompt: chat", "model 'rosetta': its tokenizer has no chat template"),
        ("prompt: infilling", "model 'rosetta': its tokenizer has no tokens for infilling"),
        ("prompt: chat, token_healing: true", "generate.token_healing: prompt 'chat' ends in"),
    ],
)
def test_what_cannot_be_posed_is_said_before_a_model_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, generate: str, complaint: str
) -> None:
    def load(*arguments: object, **options: object) -> None:
        raise AssertionError("loaded")

    monkeypatch.setattr("flextune.models.load.load_model", load)
    text = f"{{name: x, train: null, generate: {{{generate}}}, evaluate: [{{language: java, limit: 1}}]}}"
    with pytest.raises(FlextuneError, match=complaint.replace("(", r"\(")):
        run_experiment(parse_experiment(text, where="x"), tmp_path / "x", RunOptions())
    assert not (tmp_path / "x" / "generated").exists()


def test_prompts_that_leave_no_room_for_an_answer_are_said(model_folder: Path, tmp_path: Path) -> None:
    notes = []

    class Noting(Silent):
        def note(self, text: str) -> None:
            notes.append(text)

    request = model_request(str(model_folder), benchmark="rosetta", limit=2, generate={"prompt": "few-shot"})
    output = tmp_path / "answers.jsonl"
    assert generate_file(request, output, data_dir=None, reporter=Noting()) == 2
    assert [row["text"] for row in read_lines(output)] == ["", ""]
    (note,) = (note for note in notes if "window" in note)
    assert note.startswith("2 prompts fill the model's window and got an empty answer (")


def test_a_template_file_of_an_option_means_the_same_in_every_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.yaml").write_text('text: "{{prompt}}"')
    monkeypatch.chdir(tmp_path)
    request = model_request("rosetta", generate={"prompt": "mine.yaml"})
    assert request.generate.prompt == str(tmp_path / "mine.yaml")
