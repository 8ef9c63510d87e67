from __future__ import annotations

import importlib.util

import pytest

from flextune.errors import FlextuneError
from flextune.records import Example, Message
from flextune.sources.copies import equal_copies, without_copies

needs_datasketch = pytest.mark.skipif(
    importlib.util.find_spec("datasketch") is None, reason="datasketch is not installed"
)
CODE = "\n".join(f"    value_{number} = step(value_{number - 1}, {number})" for number in range(1, 40))
PROMPT = "Take the value through every one of the steps and return what is there at the end."


def example(name: str, prompt: str = PROMPT, completion: str = CODE) -> Example:
    return Example(name, prompt, completion)


def names(parts: list[list[Example]]) -> list[list[str]]:
    return [[each.name for each in part] for part in parts]


def test_of_equal_examples_the_first_stays_and_validation_keeps_its_own() -> None:
    first, second = [example("a"), example("b"), example("c", "x")], [example("d", "x"), example("e", "y")]
    assert names(without_copies([first, second], [], "none")) == [["a", "b", "c"], ["d", "e"]]
    assert names(without_copies([first, second], [], "exact")) == [["a", "c"], ["e"]]
    assert names(without_copies([first, second], [example("v", "y")], "exact")) == [["a", "c"], []]
    assert [each.name for each in equal_copies(first + second)] == ["b", "d"]
    assert [each.name for each in equal_copies(second, [example("v", "y")])] == ["e"]


def test_conversations_are_compared_by_their_messages() -> None:
    turns = (Message("user", "a"), Message("assistant", "b"))
    chats = [Example("a", "", "", turns), Example("b", "", "", turns), Example("c", "", "", turns[1:])]
    assert names(without_copies([chats], [], "exact")) == [["a", "c"]]


@needs_datasketch
@pytest.mark.parametrize(
    ("other", "kept"),
    [
        (example("b", completion=CODE.replace("step(value_7,", "step(value_6,")), False),
        (example("b", completion=CODE.upper() + "\n\n"), False),
        # Another solution of the same problem, and the same code asked for in other words.
        (example("b", completion="    return functools.reduce(step, range(1, 40), value_0)"), True),
        (example("b", prompt="Something else is wanted here, in words that nobody has used before."), True),
    ],
)
def test_near_copies_have_both_prompt_and_completion_in_common(other: Example, kept: bool) -> None:
    found = names(without_copies([[example("a"), other, example("c", "short", "one")]], [], "near"))
    assert found == [["a", *(["b"] if kept else []), "c"]]


def test_without_the_package_near_copies_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flextune.extras.installed", lambda package: False)
    with pytest.raises(FlextuneError, match=r"near needs datasketch: pip install 'flextune\[data\]'"):
        without_copies([[example("a")]], [], "near")
