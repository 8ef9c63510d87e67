"""Verdicts as rewards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.support.judging import LIMITS

from flextune.errors import FlextuneError
from flextune.judging import language
from flextune.judging.judge import Judge
from flextune.judging.reward import Reward
from flextune.records import Case, Completion, Outcome, Problem, Verdict

pytestmark = pytest.mark.slow

DOUBLE = Problem("double", "test", "py", "def f(x):\n", "assert f(2) == 4", stop=("\n\n",), entry_point="f")
SAME = Problem("same", "test", "py", "def f(x):\n", "assert f(2) == 2", entry_point="f")
IN_JS = Problem("same", "test", "js", "function f(x) {", "require('node:assert').equal(f(2), 2);")
RIGHT, WRONG, ENDLESS = "    return 2 * x", "    return x", "    while True: pass"


@pytest.fixture
def reward(sandboxed: None) -> Reward:
    return Reward([DOUBLE, SAME], workers=2, limits=LIMITS)


def test_a_batch_gets_a_number_each_in_its_order(reward: Reward) -> None:
    with reward:
        found = reward(None, [RIGHT, WRONG, ENDLESS, "def f(:", WRONG], name=["double"] * 4 + ["same"])
    assert found == [1.0, 0.0, 0.0, 0.0, 1.0]


def test_a_chat_is_judged_by_its_last_message(reward: Reward) -> None:
    chat = [{"role": "user", "content": "?"}, {"role": "assistant", "content": RIGHT}]
    with reward:
        assert reward([None] * 2, [chat, []], name=["double", "double"], other=[1, 2]) == [1.0, 0.0]


def test_text_behind_a_stop_string_does_not_count(reward: Reward) -> None:
    with reward:
        assert reward(None, [f"{RIGHT}\n\nraise ValueError"], name=["double"]) == [1.0]


FENCED = "Here it is:\n\n```python\ndef f(x):\n    return 2 * x\n```\n\nIt doubles."
PARTS = [{"type": "text", "text": FENCED}]


@pytest.mark.parametrize(
    "completion",
    [
        FENCED,
        [{"role": "assistant", "content": FENCED}],
        [{"role": "assistant", "content": PARTS}],
        [{"role": "assistant", "content": [{"type": "thinking", "thinking": "?"}, *PARTS]}],
        {"role": "assistant", "content": FENCED},
        [{"role": "assistant", "content": "def f(x):\n\n    return 2 * x\n"}],
        [{"role": "assistant", "content": "<think>\n```\nno\n```\n</think>\n" + FENCED}],
        "def f(x):\n\n    return 2 * x",
        "\ndef f(x):  \n    return 2 * x\n",
        "    return 2 * x<|im_end|>",
    ],
    ids=[
        "text",
        "chat",
        "parts",
        "thoughts apart",
        "one message",
        "no fence",
        "thoughts",
        "prompt repeated",
        "prompt behind blanks",
        "special token",
    ],
)
def test_a_chat_answer_is_read_from_its_markdown(reward: Reward, completion: Any) -> None:
    with reward:
        assert reward(None, [completion], name=["double"]) == [1.0]


def test_what_a_tool_says_is_no_answer(reward: Reward) -> None:
    call = {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "run"}}]}
    result = {"role": "tool", "name": "run", "content": FENCED}
    answer = {"role": "assistant", "content": FENCED}
    with reward:
        assert reward(None, [[call, result], [call, result, answer]], name=["double"] * 2) == [0.0, 1.0]


def test_a_whole_program_is_not_cut_at_a_statement(monkeypatch: pytest.MonkeyPatch, sandboxed: None) -> None:
    judged = texts_judged(monkeypatch)
    stops = ("\nif", "\ndef", "\nprint", "\n```", "\nQUESTION:")
    program = "import sys\ndef main():\n    print(1)\nif __name__ == '__main__':\n    main()\n"
    whole = Problem("whole", "test", "py", "", "", stop=stops, cases=(Case("", "1"),))
    with Reward([whole]) as reward:
        reward(None, [program, f"{program}\nQUESTION:\nAdd."], name=["whole"] * 2)
    assert [text.strip() for text in judged] == [program.strip()] * 2


def test_a_wrong_chat_answer_is_still_wrong(reward: Reward) -> None:
    wrong = [{"role": "assistant", "content": FENCED.replace("2 * x", "x")}]
    with reward:
        assert (
            reward(None, [wrong, [{"role": "assistant", "content": None}]], name=["double"] * 2) == [0.0] * 2
        )


def test_an_empty_stop_string_stops_nothing(sandboxed: None) -> None:
    with Reward([replace(DOUBLE, stop=("", "\n\n"))], workers=1, limits=LIMITS) as reward:
        assert reward(None, [RIGHT, f"{RIGHT}\n\n1 / 0"], name=["double"] * 2) == [1.0, 1.0]


def test_the_end_of_a_completion_ends_its_last_line(monkeypatch: pytest.MonkeyPatch, sandboxed: None) -> None:
    judged = texts_judged(monkeypatch)
    with Reward([replace(IN_JS, stop=("\n}\n",))]) as reward:
        reward(None, ["\n  return x;\n}", "\n  return x;\n}\nconsole.log(1)"], name=["same"] * 2)
    assert judged == ["\n  return x;"] * 2


@pytest.mark.parametrize(
    "text",
    [
        "    return 2 * x\n\ndef f(x):\n    return 0",
        '    """f(2) is ``4``."""\n    return 2 * x',
        "    def f(x):\n        return 2 * x\n    return f(x)",
        "    # note\n    return 2 * x",
        "\n    return 2 * x\n\n```\nIt doubles.\n```python\nf(2)\n```",
    ],
    ids=[
        "a second function",
        "quoted code",
        "a function within",
        "an indented line of the prompt",
        "rambling",
    ],
)
def test_a_plain_completion_follows_the_prompt(
    text: str, monkeypatch: pytest.MonkeyPatch, sandboxed: None
) -> None:
    judged = texts_judged(monkeypatch)
    noted = replace(DOUBLE, prompt="def f(x):\n    # note\n")
    with Reward([noted]) as reward:
        reward(None, [text], name=["double"])
    assert judged == [text.split("\n\n")[0]]


def test_what_extracts_is_asked_also_about_chats(monkeypatch: pytest.MonkeyPatch, sandboxed: None) -> None:
    judged = texts_judged(monkeypatch)
    with Reward([DOUBLE], extract=lambda problem, text: (problem, text.upper())) as reward:
        reward(None, ["```a", [{"role": "assistant", "content": "b"}]], name=["double"] * 2)
    assert judged == ["```A", "B"]


def texts_judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What reaches the judge, which passes everything."""
    texts: list[str] = []

    def verdicts(_: Judge, pairs: list[tuple[Problem, Completion]]) -> Iterator[Verdict]:
        for _problem, completion in pairs:
            texts.append(completion.text)
            yield Verdict(completion.name, 0, "passed", "run")

    monkeypatch.setattr(Judge, "verdicts", verdicts)
    return texts


def test_outcomes_can_be_worth_something(sandboxed: None) -> None:
    values = {"passed": 2.0, "wrong_answer": 0.5, "timeout": -1.0}
    with Reward([DOUBLE], rewards=values, limits=LIMITS) as reward:
        found = reward(None, [RIGHT, WRONG, ENDLESS, "    1 / 0"], name=["double"] * 4)
    assert found == [2.0, 0.5, -1.0, 0.0]


def test_a_policy_cannot_earn_by_leaving_early_or_being_equal_to_everything(reward: Reward) -> None:
    leaving = "    import os; os._exit(0)"
    equal = "    return type('E', (), {'__eq__': lambda *a: True})()"
    with reward:
        assert reward(None, [leaving, equal], name=["double"] * 2) == [0.0, 0.0]


def faulty(monkeypatch: pytest.MonkeyPatch, *texts: str) -> None:
    """A judge in whose sandbox these texts fail and all others pass."""

    def verdicts(_: Judge, pairs: list[tuple[Problem, Completion]]) -> Iterator[Verdict]:
        for _problem, completion in pairs:
            failed = any(text in completion.text for text in texts)
            outcome: Outcome = "sandbox_fault" if failed else "passed"
            yield Verdict(completion.name, 0, outcome, "run", "no namespace")

    monkeypatch.setattr(Judge, "verdicts", verdicts)


def test_a_sandbox_that_fails_for_all_gives_no_reward_and_says_so(
    reward: Reward, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    faulty(monkeypatch, RIGHT, WRONG)
    assert reward(None, [RIGHT, WRONG], name=["double"] * 2) == [None, None]
    assert [line.getMessage() for line in caplog.records] == [
        "reward: py programs get no reward: sandbox_fault (no namespace)"
    ]


@pytest.mark.parametrize("reference", [None, "    return 2 * x"])
def test_a_program_that_makes_the_sandbox_fail_has_failed(
    reference: str | None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    sandboxed: None,
) -> None:
    faulty(monkeypatch, WRONG)
    reward = Reward([replace(DOUBLE, reference=reference)])
    # Another program of the language, or the reference, shows that the sandbox works.
    given = [WRONG] if reference else [WRONG, RIGHT]
    assert reward(None, given, name=["double"] * len(given)) == [0.0, 1.0][: len(given)]
    assert "py programs for double make the sandbox fail; they count as failed" in caplog.text


def test_languages_that_are_not_strict_are_named_once(
    caplog: pytest.LogCaptureFixture, sandboxed: None
) -> None:
    java = Problem("j", "test", "java", "class Problem {", "}")
    cases = Problem("c", "test", "cpp", "", "", cases=(Case("", "1"),))
    reward = Reward([DOUBLE, IN_JS, java, replace(java, name="k"), cases])
    assert reward is not None
    [line] = [record.getMessage() for record in caplog.records]
    assert line.startswith("reward: java solutions share a process with their tests")
    assert "docs/judging.md" in line
    caplog.clear()
    Reward([java], strict=False)
    assert caplog.records == []


def test_a_missing_toolchain_is_no_reward(
    sandboxed: None, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not language("js").toolchain().found
    with Reward([IN_JS]) as reward:
        assert reward(None, ["return x; }"], name=["same"]) == [None]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"name": []}, 'needs a column "name"'),
        ({"name": ["other"]}, "no problem is called 'other'"),
        ({"name": ["same"]}, 'is there in py, js; add a column "language"'),
        ({"name": ["double"], "language": ["js"]}, "no js problem is called 'double'"),
    ],
)
def test_a_row_without_its_problem_is_an_error(
    arguments: dict[str, list[str]], said: str, sandboxed: None
) -> None:
    with pytest.raises(FlextuneError, match=said):
        Reward([DOUBLE, SAME, IN_JS])(None, [RIGHT], **arguments)


def test_two_problems_of_one_name_are_refused(sandboxed: None) -> None:
    with pytest.raises(FlextuneError, match="two py problems are called 'double'"):
        Reward([DOUBLE, DOUBLE])


def test_an_unknown_outcome_is_refused(sandboxed: None) -> None:
    with pytest.raises(FlextuneError, match=r"unknown outcome 'pass' \(known: passed, "):
        Reward([DOUBLE], rewards={"pass": 1.0})


@pytest.mark.slow
def test_trl_trains_with_it(sandboxed: None, tmp_path: object) -> None:
    """A short real run of GRPO with the embedded model."""
    trl = pytest.importorskip("trl")
    datasets = pytest.importorskip("datasets")
    import torch

    from flextune.config import EvaluateConfig
    from flextune.models.load import load_model
    from flextune.sources.loading import load_problems

    torch.set_num_threads(1)
    chosen = load_problems(EvaluateConfig(benchmark="rosetta", language="py", limit=4), None)
    rows = [{"prompt": problem.prompt, "name": problem.name} for problem in chosen]
    loaded = load_model("rosetta")
    arguments = trl.GRPOConfig(
        output_dir=str(tmp_path),
        per_device_train_batch_size=4,
        num_generations=4,
        max_completion_length=48,
        max_steps=2,
        learning_rate=1e-4,
        logging_steps=1,
        report_to="none",
        use_cpu=True,
        bf16=False,
        save_strategy="no",
        seed=0,
    )
    with Reward(chosen, workers=2) as reward:
        trainer = trl.GRPOTrainer(
            model=loaded.model,
            reward_funcs=[reward],
            args=arguments,
            train_dataset=datasets.Dataset.from_list(rows),
            processing_class=loaded.tokenizer,
        )
        trainer.train()
    logged = [row for row in trainer.state.log_history if "rewards/tests_passed/mean" in row]
    assert len(logged) == 2
    assert all(0.0 <= row["rewards/tests_passed/mean"] <= 1.0 for row in logged)
