# ruff: noqa: E501 - an answer reads better unbroken
"""Python answers of every kind are read by the rule that is meant, and pass."""

from __future__ import annotations

import pytest
from tests.data.answers.python_kinds import ANSWERS, BODY, RIGHT, TOTAL, WRONG, block
from tests.support.judged import verdicts_on

from flextune.data.answers import (
    RULES,
    Extraction,
    read_answer,
    read_completion,
    read_program,
    read_text,
)
from flextune.records import Problem


@pytest.mark.parametrize("kind", ANSWERS)
def test_each_kind_is_read_by_its_rule(kind: str) -> None:
    rule, answers = ANSWERS[kind]
    for answer in answers:
        read = read_answer(TOTAL, answer)
        compile(read.program, answer, "exec")
        assert "total = number" not in read.text, answer
        assert rule is None or rule in {step.rule for step in read.steps}, (answer, read.steps)


@pytest.mark.slow
def test_every_kind_passes(sandboxed: None) -> None:
    answers = [(kind, answer) for kind, (_, answers) in ANSWERS.items() for answer in answers]
    verdicts = verdicts_on([read_answer(TOTAL, answer).pair for _, answer in answers])
    failed = [
        (kind, answer, verdict.message)
        for (kind, answer), verdict in zip(answers, verdicts, strict=True)
        if not verdict.passed
    ]
    assert failed == []


@pytest.mark.slow
def test_a_wrong_answer_stays_wrong(sandboxed: None) -> None:
    """In no kind does reading make a right answer of a wrong one."""
    answers = [
        answer for _, kind in ANSWERS.values() for answer in kind if RIGHT in answer and WRONG not in answer
    ]
    assert len(answers) > 100
    wrong = [read_answer(TOTAL, answer.replace(RIGHT, WRONG)).pair for answer in answers]
    assert {verdict.outcome for verdict in verdicts_on(wrong)} == {"wrong_answer"}


def rules(read: Extraction) -> list[str]:
    return [step.rule for step in read.steps]


@pytest.mark.parametrize(
    ("text", "expected", "found"),
    [
        (BODY, BODY, ["completion"]),
        (f"{BODY.rstrip()}<|endoftext|>", BODY.rstrip(), ["completion", "end-token"]),
        (f"{BODY}[DONE]\nmore", BODY, ["completion", "end-token"]),
        (f"{BODY}```\nIt adds.\n```python\n{WRONG}```", BODY, ["completion", "closing-fence"]),
        (f'    doc = """\n```\n"""\n{BODY}', f'    doc = """\n```\n"""\n{BODY}', ["completion"]),
        (f"{BODY}\nif __name__ == '__main__':\n    x\n", f"{BODY}\nif __name__ == '__main__':\n    x\n", ["completion"]),
        (block(RIGHT), f"from typing import List\n\n\n\n{RIGHT}", ["program", "prompt-head"]),
        (f"<think>\nAdd.\n</think>\n{BODY}", f"\n{BODY}", ["reasoning", "body"]),
        (f"Sure:\n\n{block(RIGHT)}", f"from typing import List\n\n\n\n{RIGHT}", ["program", "prompt-head"]),
    ],
)  # fmt: skip
def test_a_completion_stays_what_follows_the_prompt(text: str, expected: str, found: list[str]) -> None:
    read = read_completion(TOTAL, text)
    assert (read.text, rules(read)) == (expected, found)


def test_a_text_of_unknown_kind_is_cut_only_as_a_completion() -> None:
    assert read_text(TOTAL, f"{BODY}\ndef more(): pass").text == BODY.rstrip("\n") + "\n"
    assert "def more" in read_text(TOTAL, block(f"{RIGHT}\ndef more(): pass\n")).text
    assert "stop" in rules(read_text(TOTAL, f"{BODY}\nprint(1)"))


def test_a_program_keeps_its_examples_and_may_be_fenced() -> None:
    code = f"{RIGHT}\nassert running_total([1]) == [1]\n"
    assert "assert running" in read_program(TOTAL, code).text
    assert "```" not in read_program(TOTAL, block(code)).text
    assert read_program(TOTAL, f"{code}<|im_end|>").text == read_program(TOTAL, code).text


MBPP = Problem(
    "MBPP/17", "mbpp", "py", '"""\nFind the perimeter.\n"""\n',
    "import math\nassert math.isclose(perimeter(3, 4, 5), 12)\nassert set([perimeter(1, 1, 1)]) == {3}",
)  # fmt: skip
PERIMETER = "def perimeter(a, b, c):\n    return a + b + c\n"


@pytest.mark.parametrize(
    "answer",
    [
        block(PERIMETER), f"{PERIMETER}```\n\nIt adds.", f"[BEGIN]\n{PERIMETER}[DONE]\n", f"[BEGIN]\n{PERIMETER}[DONE]\n\n[BEGIN]\ndef other():\n    pass\n[DONE]", f"Here:\n\n{PERIMETER}\nIt adds.\n",
        block(PERIMETER) + "Usage:\n" + block("# " + "long " * 99 + "\nprint(perimeter(1, 2, 3))\n"), block(f"{PERIMETER}\nprint(perimeter(int(input()), 1, 1))\n"),
        block("from __future__ import annotations\n" + PERIMETER), block("def add(a, b): return a + b\n") + block("def perimeter(a, b, c): return add(a, add(b, c))\n"),
        block("class Solution:\n    def perimeter(self, a, b, c):\n        return a + b + c\n"),
    ],
)  # fmt: skip
def test_the_name_that_a_task_wants_is_read_from_its_tests(answer: str) -> None:
    read = read_answer(MBPP, answer)
    # Trusted: the programs stand above.
    exec(compile(read.program, "answer", "exec"), {})
    assert "input()" not in read.text


LEETCODE = "from typing import List\n\nclass Solution:\n    def twoSum(self, nums: List[int], target: int) -> List[int]:\n        return [0, 1]\n"


@pytest.mark.parametrize("prompt", ["", "class Solution:\n    def twoSum(self, nums: List[int], target: int) -> List[int]:\n        "])  # fmt: skip
@pytest.mark.parametrize("answer", [LEETCODE, f"{LEETCODE}\nprint(Solution().twoSum(input(), 1))\n", "def twoSum(nums, target):\n    return [0, 1]\n"])  # fmt: skip
def test_tests_may_call_a_method_of_solution(prompt: str, answer: str) -> None:
    tests = "assert Solution().twoSum([1, 2], 3) == [0, 1]"
    if prompt and "class" not in answer:
        answer = "    def twoSum(self, nums, target):\n        return [0, 1]\n"
    read = read_answer(Problem("lc", "test", "py", prompt, tests, entry_point="twoSum"), block(answer))
    exec(compile(read.program, "answer", "exec"), {"List": list})


def test_every_rule_has_a_case() -> None:
    """Here, or in the tests of other languages and of files."""
    here = {rule for rule, _ in ANSWERS.values() if rule}
    elsewhere = {"after-prompt", "closed-once", "completion", "exports", "only-block", "program-block"}
    assert here | elsewhere | {"prompt-head", "stop", "whole-program"} == set(RULES)
