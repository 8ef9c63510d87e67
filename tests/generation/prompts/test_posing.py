from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flextune.config import EvaluateConfig, GenerateConfig
from flextune.data.answers import judged_pair
from flextune.errors import FlextuneError
from flextune.generation.engine import Prompt
from flextune.generation.prompts.posing import Posed, pose, prompt_rows
from flextune.records import Completion, Problem
from flextune.sources.loading import load_problems


def posed(prompt: str, language: str = "java", **generate: Any) -> tuple[Posed, Problem]:
    part = EvaluateConfig(benchmark="rosetta", language=language, limit=2)
    problems = load_problems(part, None)
    section = GenerateConfig.model_validate({"prompt": prompt, **generate})
    return pose(section, part, problems, None), problems[0]


def test_completion_poses_every_problem_as_it_is_and_has_no_key(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text('text: "{{prompt}}"\ndescription: The same.\n')
    for name in ("completion", str(tmp_path / "mine.yaml")):
        found, _ = posed(name)
        assert (found.given(), found.row(), prompt_rows(found)) == ({}, {}, [])


def test_a_template_its_text_and_what_it_made_are_in_key_and_row(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    keys = []
    for text in ('text: "A {{prompt}}"', 'text: "B {{prompt}}"'):
        file.write_text(text)
        found, problem = posed(str(file))
        keys.append(found.given())
        assert found.row()["prompt"]["text"] == text
        assert prompt_rows(found)[0] == {
            "name": problem.name,
            "text": f"{text[7]} {problem.prompt}",
            "stop": problem.stop,
        }
    assert keys[0] != keys[1]


def test_healing_and_stops_alone_change_the_key() -> None:
    keys = [
        posed("completion", **changes)[0].given()
        for changes in ({}, {"token_healing": True}, {"stops": "program"})
    ]
    assert len({str(key) for key in keys}) == 3


def test_a_chat_has_turns_no_stops_and_answers() -> None:
    found, problem = posed("chat")
    prompt = found.prompts[problem.name]
    (turn,) = prompt.messages
    assert turn.role == "user"
    assert f"```java\n{problem.prompt}" in turn.content
    assert (prompt.text, prompt.stop, prompt.kind) == ("", (), "answer")


@pytest.mark.parametrize("language", ["py", "java", "js"])
def test_few_shot_examples_are_solved_and_none_is_a_problem(language: str) -> None:
    found, problem = posed("few-shot", language)
    text = found.prompts[problem.name].text
    assert text.endswith(problem.prompt)
    evaluated = load_problems(EvaluateConfig(benchmark="rosetta", language=language), None)
    shots = text.removesuffix(problem.prompt)
    assert shots.count("return") >= 3
    assert not [p.name for p in evaluated if p.prompt in shots]


def test_an_example_that_is_evaluated_is_refused(tmp_path: Path) -> None:
    _, problem = posed("completion", "py")
    own = problem.prompt.replace("\n", "\\n").replace('"', '\\"')
    (tmp_path / "mine.yaml").write_text(
        'text: "{{examples}}{{prompt}}"\n' + f'examples: [{{prompt: "{own}", completion: x}}]\n'
    )
    with pytest.raises(FlextuneError, match=f"example 0 is the problem {problem.name!r} itself"):
        posed(str(tmp_path / "mine.yaml"), "py")


def test_few_shot_without_examples_in_the_language_is_refused() -> None:
    problem = Problem("a", "mine", "lua", "local function f()\n", "")
    part = EvaluateConfig(benchmark="multipl-e", language="lua")
    with pytest.raises(FlextuneError, match="rosetta has no examples in Lua "):
        pose(GenerateConfig(prompt="few-shot"), part, [problem], None)


def test_the_suffix_of_a_gap_closes_what_the_tests_close() -> None:
    found, problem = posed("infilling")
    assert found.prompts[problem.name].suffix == "\n    }\n}\n"
    assert posed("infilling", "js")[0].prompts[problem.name].suffix == "\n"


@pytest.mark.parametrize(
    ("prompt", "changes", "complaint"),
    [
        ("chat", {"token_healing": True}, "generate.token_healing: prompt 'chat' ends in tokens of its own"),
        ("infilling", {"token_healing": True}, "generate.token_healing: prompt 'infilling'"),
        ("chat", {"stops": "program"}, "generate.stops: program: prompt 'chat' does not end"),
    ],
)
def test_an_option_that_a_template_does_not_go_with_is_refused(
    prompt: str, changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(FlextuneError) as caught:
        posed(prompt, **changes)
    assert str(caught.value).startswith(complaint)


def test_a_default_that_is_added_to_prompts_later_changes_no_key() -> None:
    found, _ = posed("few-shot", "py")
    plain = Posed(found.template, {name: Prompt(p.text, stop=p.stop) for name, p in found.prompts.items()})
    assert plain.given() == found.given()


def test_an_answer_is_judged_by_the_program_in_it_and_kept_as_it_is() -> None:
    tests = "assert double(2) == 4"
    problem = Problem("double", "mine", "py", "def double(x):\n", tests, entry_point="double")
    first, second = (f"```python\ndef double(x):\n    return {body}\n```\n" for body in ("x", "2 * x"))
    text = f"I think.\n{first}Better:\n{second}"
    answer = Completion("double", 0, text, kind="answer")
    judged, completion = judged_pair(problem, answer)
    assert judged.program(completion.text) == "def double(x):\n    return 2 * x\n\nassert double(2) == 4"
    assert answer.text == text
    whole = Completion("double", 0, "    return h(x)", program="    return h(x)\n\ndef h(x): ...")
    assert judged_pair(problem, whole) == (problem, whole)
    assert judged_pair(problem, whole, whole=True)[1].text == whole.program
