from __future__ import annotations

from typing import Any

import pytest
from tests.support.tiny import tiny_tokenizer

from flextune.errors import FlextuneError
from flextune.models.chat import written_out
from flextune.models.encoding import IGNORED, encode_example
from flextune.records import Example, Message

PLAIN = Example("plain", "p", "c")
TURNS = (Message("system", "Be brief."), Message("user", "Add."), Message("assistant", "a + b"))
CHAT = Example("mine.jsonl:3", "", "", TURNS)

CHATML = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
#: Opens an answer with more than it writes before a given one, as templates of reasoning models do.
THINKING = CHATML.replace("<assistant>{% endif %}", "<assistant><think>{% endif %}")
REFUSING = "{{ raise_exception('only user and assistant, please') }}"
CHANGING = "{{ messages|length }}" + CHATML


def tokenizer(template: str | None) -> Any:
    made = tiny_tokenizer()
    made.chat_template = template
    return made


@pytest.mark.parametrize(
    ("template", "prompt", "completion"),
    [
        (CHATML, "<system>Be brief.</s>\n<user>Add.</s>\n<assistant>", "a + b"),
        (THINKING, "<system>Be brief.</s>\n<user>Add.</s>\n", "<assistant>a + b"),
    ],
)
def test_the_answer_is_the_completion_and_its_end_is_written_once(
    template: str, prompt: str, completion: str
) -> None:
    chosen = tokenizer(template)
    plain, chat = written_out(chosen, [PLAIN, CHAT], "m")
    assert plain is PLAIN
    assert chat == Example("mine.jsonl:3", prompt, completion)
    ids, labels = encode_example(chosen, chat, 512, "completion")
    assert chosen.decode([label for label in labels if label != IGNORED]) == completion + "</s>"
    whole = chosen.apply_chat_template(
        [{"role": m.role, "content": m.content} for m in TURNS], tokenize=False
    )
    assert chosen.decode(ids).removeprefix("<s>") == whole.rstrip("\n")


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (
            None,
            r"mine\.jsonl:3: the tokenizer of m has no chat template.*give prompt and completion, or a chat",
        ),
        (
            REFUSING,
            r"mine\.jsonl:3: the model's chat template refuses this \(only user and assistant, please\)",
        ),
        (CHANGING, r"mine\.jsonl:3: the chat template of m writes earlier messages otherwise"),
    ],
)
def test_what_a_template_cannot_do_is_one_line(template: str | None, message: str) -> None:
    with pytest.raises(FlextuneError, match=message):
        written_out(tokenizer(template), [CHAT], "m")
