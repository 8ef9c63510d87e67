from __future__ import annotations

from pathlib import Path

import pytest

from flextune.errors import FlextuneError
from flextune.generation.prompts.template import FIELDS, filled, find_template, template_names


def refused(tmp_path: Path, text: str) -> str:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(FlextuneError) as caught:
        find_template(str(file))
    message = str(caught.value)
    assert message.startswith(str(file))
    assert "\n" not in message
    return message.removeprefix(str(file))


@pytest.mark.parametrize("name", template_names())
def test_every_template_of_the_package_is_one(name: str) -> None:
    template = find_template(name)
    assert template.section.description
    assert template.kind == ("answer" if "chat" in name or "thought" in name else "completion")


def test_the_revision_is_of_the_text_alone(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    first, second = tmp_path / "a" / "mine.yaml", tmp_path / "other.yml"
    first.write_text('text: "{{prompt}}"\n')
    second.write_text('text: "{{prompt}}"\n')
    assert find_template(str(first)).revision == find_template(str(second)).revision
    second.write_text('text: "{{prompt}} "\n')
    assert find_template(str(first)).revision != find_template(str(second)).revision


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(FlextuneError, match=r"unknown template 'fewshot', did you mean 'few-shot'\?"):
        find_template("fewshot")
    with pytest.raises(FlextuneError, match=r"generate\.prompt: /nowhere/p\.yaml cannot be read"):
        find_template("/nowhere/p.yaml")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('text: "{{promt}}"', ": text: unknown field {{promt}}, did you mean 'prompt'?"),
        (
            'messages: [{role: user, content: "{{prompt}} {{x}}"}]',
            ": messages.0.content: unknown field {{x}}",
        ),
        ('text: "solve it"', ": no text has the field {{prompt}}"),
        ('text: "{{prompt}}"\ntextt: 1', ": unknown key 'textt', did you mean 'text'?"),
        ('text: "{{prompt}}"\nstop: [""]', ": stop: an empty stop string would end every answer at once"),
        ("stop: [x]", ": a template has either text or messages"),
        ('text: "{{examples}}{{prompt}}"', ": the field {{examples}} and the key examples belong together"),
        (
            'text: "{{examples}}{{prompt}}"\nexamples: {source: rosetta}\nexample: "{{solution}}"',
            ": example: unknown field {{solution}}",
        ),
        (
            'messages: [{role: assistant, content: "{{prompt}}"}]',
            ": messages: the last turn is the user's (found: assistant)",
        ),
        ('messages: [{role: user, content: "{{prompt}}"}]\nanswer: completion', ": answer: a chat gives"),
        ('text: "{{prompt}}"\ntext: x', ":2: key 'text' is given twice"),
        ("- a", ': a prompt template is a mapping of keys, as in `text: "{{prompt}}"` (found: a list)'),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line_with_the_key(
    tmp_path: Path, text: str, complaint: str
) -> None:
    assert refused(tmp_path, text).startswith(complaint)


def test_what_a_value_holds_is_no_field() -> None:
    values = {name: name.upper() for name in FIELDS} | {"prompt": "a {{language}} {b} $c"}
    assert filled("{{ prompt }}|{{language}}|{x}", values) == "a {{language}} {b} $c|LANGUAGE|{x}"
