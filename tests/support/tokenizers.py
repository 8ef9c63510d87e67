"""Byte-level tokenizers with merges, tokens for infilling and chat templates, made on the fly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

#: A turn is ``<role>content``, and the answer follows ``<assistant>``.
CHAT = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'system' %}"
    "{{ raise_exception('no system turns here') }}{% endif %}<{{ m.role }}>{{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def byte_tokenizer(
    merged: Sequence[str] = (), *, special: Sequence[str] = (), chat_template: str | None = None
) -> Any:
    """Bytes, and ``merged`` texts as tokens of their own; BOS is added, EOS is not.

    Args:
        merged: Each its predecessor and one character more, or two characters.
        special: Special tokens beside BOS and EOS.
        chat_template: The tokenizer's; None: it has none.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    texts = ["".join(part for part, _ in level.pre_tokenize_str(text)) for text in merged]
    vocabulary = {token: index for index, token in enumerate(["<s>", "</s>", *letters, *texts])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[(text[:-1], text[-1]) for text in texts]))
    tokenizer.pre_tokenizer = level
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    made = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>")
    made.add_special_tokens({"additional_special_tokens": list(special)})
    made.pad_token = made.eos_token
    made.chat_template = chat_template
    return made
