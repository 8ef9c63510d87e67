"""Conversations as training texts, written out by a model's own chat template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flextune.errors import FlextuneError, one_line
from flextune.records import Example, Message


def written_out(tokenizer: Any, examples: Sequence[Example], model: str) -> list[Example]:
    """The examples, conversations among them as prompt and completion; all others as they are.

    The prompt is what the template makes of all messages but the last, up to where the assistant's answer
    begins; the completion is that answer, to the end of its turn. The end-of-text token that the template
    writes there is left out: every training text gets one.

    Args:
        tokenizer: Of the model, with its template.
        examples: From any source.
        model: Its name, for messages.

    Raises:
        FlextuneError: The model has no template, or its template refuses a conversation, by the example's
            name.
    """
    return [_written(tokenizer, each, model) if each.messages else each for each in examples]


def _written(tokenizer: Any, example: Example, model: str) -> Example:
    if not getattr(tokenizer, "chat_template", None):
        raise FlextuneError(
            f"{example.name}: the tokenizer of {model} has no chat template, which writes messages out; give"
            " prompt and completion, or a chat model"
        )
    *asked, answer = example.messages
    whole = _applied(tokenizer, [*asked, answer], example.name)
    prompt = _applied(tokenizer, asked, example.name, add_generation_prompt=True) if asked else ""
    if not whole.startswith(prompt):
        # Some templates open the answer's turn with more than they write before a given answer.
        prompt = _applied(tokenizer, asked, example.name)
        if not whole.startswith(prompt):
            raise FlextuneError(
                f"{example.name}: the chat template of {model} writes earlier messages otherwise once an"
                " answer follows; give prompt and completion"
            )
    return replace(example, prompt=prompt, completion=_ended(tokenizer, whole[len(prompt) :]), messages=())


def _applied(tokenizer: Any, messages: Sequence[Message], name: str, **options: Any) -> str:
    turns = [{"role": message.role, "content": message.content} for message in messages]
    try:
        return str(tokenizer.apply_chat_template(turns, tokenize=False, **options))
    # Templates raise what they like: about roles, their order, a system message.
    except Exception as error:
        raise FlextuneError(f"{name}: the model's chat template refuses this ({one_line(error)})") from error


def _ended(tokenizer: Any, completion: str) -> str:
    """The completion without the end-of-text token, and what a template writes after it."""
    end = tokenizer.eos_token
    text = completion.rstrip()
    return text.removesuffix(end) if end and text.endswith(end) else completion
