from __future__ import annotations

from typing import Any

import pytest
from tests.support.tiny import tiny_tokenizer

from flextune.errors import FlextuneError
from flextune.models.encoding import decode_completion, encode_example, encode_prompt, uses_bos
from flextune.records import Example

BOS, EOS = 0, 1


def metaspace_tokenizer() -> Any:
    """Like SentencePiece: a space before the text when encoding, the first one dropped when decoding."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = ["<s>", "</s>", "▁", *"abcdef():\n", "▁b", "a▁", "b▁"]
    vocabulary = {token: index for index, token in enumerate(letters)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[("▁", "b")], unk_token=None))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>")


def test_prompt_begins_with_bos_exactly_once_and_has_no_eos() -> None:
    tokenizer = tiny_tokenizer()
    for text in ("abc", "<s>abc"):
        ids = encode_prompt(tokenizer, text)
        assert ids[0] == BOS
        assert ids.count(BOS) == 1
        assert EOS not in ids


def test_prompt_keeps_outer_whitespace() -> None:
    tokenizer = tiny_tokenizer()
    text = "\n  def f():\n    "
    assert tokenizer.decode(encode_prompt(tokenizer, text)[1:]) == text


def test_tokenizer_that_adds_no_bos_gets_none() -> None:
    tokenizer = metaspace_tokenizer()
    assert not uses_bos(tokenizer)
    assert BOS not in encode_prompt(tokenizer, "abc")


def test_example_is_one_text_with_eos_and_counts_the_completion_only() -> None:
    ids, labels = encode_example(tiny_tokenizer(), Example("x", "é=", "1\n"), 64, "completion")
    prompt = 1 + len("é=".encode())
    assert ids == [*encode_prompt(tiny_tokenizer(), "é=1\n"), EOS]
    assert labels == [-100] * prompt + ids[prompt:]


def test_full_loss_counts_the_prompt_too() -> None:
    ids, labels = encode_example(tiny_tokenizer(), Example("x", "ab", "c"), 64, "full")
    assert labels == ids


def test_completion_is_not_encoded_alone() -> None:
    # Alone, "b" would become "▁b"; inside "(b" it does not.
    tokenizer = metaspace_tokenizer()
    ids, labels = encode_example(tokenizer, Example("x", "a(", "b"), 64, "completion")
    tokens = tokenizer.convert_ids_to_tokens(ids)
    assert tokens == ["▁", "a", "(", "b", "</s>"]
    assert [label != -100 for label in labels] == [False, False, False, True, True]


def test_token_that_spans_both_parts_belongs_to_the_completion() -> None:
    tokenizer = metaspace_tokenizer()
    ids, labels = encode_example(tokenizer, Example("x", "a ", "b"), 64, "completion")
    assert tokenizer.convert_ids_to_tokens(ids) == ["▁", "a", "▁b", "</s>"]
    assert labels[:2] == [-100, -100]
    assert labels[2:] == ids[2:]


def test_cut_example_does_not_pretend_to_end() -> None:
    ids, labels = encode_example(tiny_tokenizer(), Example("x", "a" * 5, "b" * 20), 10, "completion")
    assert len(ids) == len(labels) == 10
    assert EOS not in ids


@pytest.mark.parametrize("text", [" b", "b c", "  ab", "", "ab", "(b:"])
def test_decoding_keeps_every_space_where_the_decoder_strips_one(text: str) -> None:
    tokenizer = metaspace_tokenizer()
    whole = encode_prompt(tokenizer, "a" + text)
    prompt = encode_prompt(tokenizer, "a")
    assert whole[: len(prompt)] == prompt
    assert decode_completion(tokenizer, whole[len(prompt) :]) == text


def test_decoding_drops_special_tokens_and_cleans_nothing_up() -> None:
    tokenizer = tiny_tokenizer()
    text = " f (x) , y !\n\tπ "
    ids = encode_prompt(tokenizer, text)
    assert decode_completion(tokenizer, [*ids, EOS]) == text


def test_tokenizer_without_eos_is_refused() -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.eos_token = None
    with pytest.raises(FlextuneError, match="no end-of-text token"):
        encode_example(tokenizer, Example("x", "a", "b"), 10, "full")
