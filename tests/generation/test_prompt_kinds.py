"""Chats, gaps and healed prompts in the local engine, against ``transformers.generate`` on the same ids."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
import torch
from scipy.stats import chisquare
from tests.support.decoding import BEAM, GREEDY
from tests.support.tiny import tiny_model
from tests.support.tokenizers import CHAT, byte_tokenizer

from flextune.config import DecodeConfig
from flextune.errors import FlextuneError
from flextune.generation.engine import Prompt, Request
from flextune.generation.local.choice import Choice
from flextune.generation.local.decoded import Decoded, look, with_gaps
from flextune.generation.local.engine import LocalEngine
from flextune.generation.local.healing import Healed, Vocabulary
from flextune.generation.local.infilling import FAMILIES, encode_gap, gap_ends, gap_tokens
from flextune.generation.local.posing import check_prompt, encode
from flextune.generation.local.rows import Row
from flextune.models.encoding import decode_completion, encode_prompt
from flextune.models.load import LoadedModel, load_model
from flextune.records import Completion, Message, Problem

PROBLEM = Problem("p", "made-up", "py", "def f(x):\n", "", ())
MERGED = ("\n ", "\n  ", "\n   ", "):", "x)", "f(", "  ", "   ")
FEW = GREEDY.model_copy(update={"max_new_tokens": 12})


@pytest.fixture(scope="module")
def merging(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """A random model whose tokenizer merges a newline with the spaces behind it."""
    folder = tiny_model(
        tmp_path_factory.mktemp("models") / "merging",
        initializer_range=0.4,
        vocab_size=258 + len(MERGED),
        max_position_embeddings=256,
    )
    loaded = load_model(str(folder), device="cpu")
    return replace(loaded, tokenizer=byte_tokenizer(MERGED, chat_template=CHAT))


def answer(loaded: LoadedModel, prompt: Prompt, decode: DecodeConfig = FEW) -> list[Completion]:
    request = Request([PROBLEM], decode, 0, prompts={PROBLEM.name: prompt})
    return [found.completion for group in LocalEngine(loaded).answer([request]) for found in group]


def generated(loaded: LoadedModel, ids: list[int], tokens: int, **options: Any) -> str:
    """What transformers says after some ids."""
    output = loaded.model.generate(
        torch.tensor([ids]), max_new_tokens=tokens, do_sample=False, eos_token_id=1, **options
    )
    new = output[0, len(ids) :].tolist()
    return decode_completion(loaded.tokenizer, new[: new.index(1)] if 1 in new else new)


def test_a_chat_is_posed_in_the_models_own_template_with_one_bos(merging: LoadedModel) -> None:
    prompt = Prompt(messages=(Message("user", "Say f."),), kind="answer")
    ids = encode(merging.tokenizer, "tiny", prompt)
    assert ids.count(merging.tokenizer.bos_token_id) == 1
    assert merging.tokenizer.decode(ids) == "<s><user>Say f.<assistant>"
    (found,) = answer(merging, prompt)
    assert (found.text, found.kind) == (generated(merging, ids, 12), "answer")


def test_turns_that_cannot_be_posed_are_refused_by_name(merging: LoadedModel) -> None:
    system = Prompt(messages=(Message("system", "Be."), Message("user", "Say.")))
    with pytest.raises(
        FlextuneError, match=r"'tiny': the model's chat template refuses this \(no system turns"
    ):
        check_prompt(merging.tokenizer, "tiny", system)
    with pytest.raises(FlextuneError, match="'bare': its tokenizer has no chat template"):
        check_prompt(byte_tokenizer(), "bare", replace(system, messages=system.messages[1:]))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.models)
def test_a_gap_is_posed_with_the_familys_own_tokens(family: Any) -> None:
    tokens = (family.prefix, family.suffix, family.middle)
    tokenizer = byte_tokenizer(special=[*tokens, *family.ends])
    assert gap_tokens(tokenizer, "tiny") == family
    prefix, suffix, middle = (tokenizer.get_vocab()[token] for token in tokens)
    before, after = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in ("def", "\n}"))
    assert encode_gap(tokenizer, "tiny", "def", "\n}") == [0, prefix, *before, suffix, *after, middle]
    assert len(gap_ends(tokenizer, "tiny")) == len(family.ends)


def test_a_tokenizer_without_such_tokens_is_refused_by_name(merging: LoadedModel) -> None:
    with pytest.raises(FlextuneError, match="'tiny': its tokenizer has no tokens for infilling"):
        check_prompt(merging.tokenizer, "tiny", Prompt("a", suffix="b"))


def test_a_row_ends_at_its_own_tokens_too() -> None:
    rows = [Row(0, PROBLEM, 0, (1,), 5, GREEDY, ends=frozenset({7})), Row(0, PROBLEM, 1, (1,), 5, GREEDY)]
    decoded = [Decoded(5), Decoded(5)]
    recent = [with_gaps(torch.zeros(2, 9), torch.tensor([token, token])) for token in (3, 7, 4)]
    running = look(rows, decoded, recent, {1}, lambda row, ids: False)
    assert [(one.ids, one.ended) for one in decoded] == [([3, 7], True), ([3, 7, 4], False)]
    assert running == [1]


def vocabulary_of(loaded: LoadedModel) -> Vocabulary:
    return Vocabulary(loaded.tokenizer, loaded.model.config.vocab_size)


def agreeing(loaded: LoadedModel, rest: str) -> list[int]:
    """By the definition, token by token."""
    found = []
    for token in range(loaded.model.config.vocab_size):
        text = decode_completion(loaded.tokenizer, [token])
        if text and (text.startswith(rest) or rest.startswith(text)):
            found.append(token)
    return found


def healed_reference(loaded: LoadedModel, text: str, tokens: int, **options: Any) -> str:
    """What transformers says where a function of its own allows only what agrees with the prompt."""
    ids = encode_prompt(loaded.tokenizer, text)
    assert decode_completion(loaded.tokenizer, ids[-1:]) == "\n"
    kept = ids[:-1]

    def allowed(row: int, so_far: torch.Tensor) -> list[int]:
        said = decode_completion(loaded.tokenizer, so_far[len(kept) :].tolist())
        return list(range(loaded.model.config.vocab_size)) if said else agreeing(loaded, "\n")

    said = generated(loaded, kept, tokens, prefix_allowed_tokens_fn=allowed, **options)
    assert said.startswith("\n")
    return said.removeprefix("\n")


@pytest.mark.slow
def test_greedy_and_beam_healed_are_those_of_generate_under_the_constraint(merging: LoadedModel) -> None:
    beam = BEAM.model_copy(update={"max_new_tokens": 6})
    changed = []
    for name in "abcdef":
        text = f"def {name}(x):\n"
        (greedy,) = answer(merging, Prompt(text, healing=True))
        assert greedy.text == healed_reference(merging, text, 13)
        (found,) = answer(merging, Prompt(text, healing=True), beam)
        assert found.text == healed_reference(merging, text, 7, num_beams=3)
        changed.append(answer(merging, Prompt(text))[0].text != greedy.text)
    assert any(changed)


@pytest.mark.slow
def test_samples_healed_have_the_models_own_odds_among_tokens_that_agree(merging: LoadedModel) -> None:
    decode = DecodeConfig(strategy="sample", temperature=1.5, top_p=1, n=3000, max_new_tokens=1)
    ids = encode_prompt(merging.tokenizer, PROBLEM.prompt)[:-1]
    with torch.inference_mode():
        logits = merging.model(torch.tensor([ids])).logits[0, -1] / 1.5
    # The newline alone, and with one, two and three spaces.
    allowed = agreeing(merging, "\n")
    assert len(allowed) == 4
    odds = torch.softmax(logits[allowed], 0).double()
    rows = [
        Row(0, PROBLEM, n, tuple(ids), 1, decode, healed=Healed("\n", 1, vocabulary_of(merging)))
        for n in range(decode.n)
    ]
    choice = Choice(len(rows), rows, len(logits), torch.device("cpu"))
    choice.admit(rows)
    with torch.inference_mode():
        raw = merging.model(torch.tensor([ids])).logits[0, -1].float().expand(len(rows), -1)
    counts = Counter(choice.choose(choice.allowed(raw)).tolist())
    assert set(counts) <= set(allowed)
    seen = [counts[token] for token in allowed]
    assert chisquare(seen, (odds / odds.sum() * decode.n).tolist()).pvalue > 1e-3


def test_no_token_is_taken_back_where_none_is_longer(merging: LoadedModel) -> None:
    vocabulary = vocabulary_of(merging)
    cases = {
        "def f(x):\n": 1,
        "def f(x):\n ": 1,
        "def f(x):\n   ": 0,
        "def f(x)": 0,
        "de": 0,
        "caf\u00e9": 0,
    }
    for text, count in cases.items():
        assert vocabulary.taken_back(text, encode_prompt(merging.tokenizer, text)) == count, text


def test_stop_strings_are_looked_for_behind_the_prompt_alone(merging: LoadedModel) -> None:
    (free,) = answer(merging, Prompt(PROBLEM.prompt, healing=True))
    stop = "\n" + free.text[:1]
    (found,) = answer(merging, Prompt(PROBLEM.prompt, stop=(stop,), healing=True))
    assert found.text == free.text.split(stop)[0]


def test_a_healed_answer_does_not_depend_on_what_is_decoded_beside_it(merging: LoadedModel) -> None:
    problems = [replace(PROBLEM, name=f"p{n}", prompt=f"def f{n}(x):\n") for n in range(6)]
    prompts = {p.name: Prompt(p.prompt, healing=n % 2 == 0) for n, p in enumerate(problems)}
    engine = LocalEngine(merging)

    def texts(size: int) -> dict[str, str]:
        decode = FEW.model_copy(update={"batch_size": size})
        groups = engine.answer([Request(problems, decode, 0, prompts=prompts)])
        return {found.completion.name: found.completion.text for group in groups for found in group}

    assert texts(2) == texts(6)


def test_a_completion_is_kept_to_its_first_stop_and_to_the_programs_end(merging: LoadedModel) -> None:
    said = "    return g(x)\n\ndef g(x):\n    return x\n\nprint(f(1))\n"
    engine = LocalEngine(merging)
    ids = tuple(merging.tokenizer(said, add_special_tokens=False)["input_ids"])
    problem = replace(PROBLEM, stop=("\ndef", "\nprint"))
    posed = Prompt(problem.prompt, stop=problem.stop, whole=True)
    row = Row(0, problem, 0, (0,), len(ids), GREEDY, posed=posed)
    texts = engine._texts
    length = next(n for n in range(len(ids)) if texts.stopped(row, ids[:n]))
    # What it calls is there when the next statement begins.
    assert decode_completion(merging.tokenizer, ids[:length]) == said[: said.index("rint")]
    found = texts.completion(row, Decoded(len(ids), list(ids[:length]), [0.0] * length))
    assert found.text == "    return g(x)\n"
    assert found.program == said[: said.index("print")]
    plain = texts.completion(replace(row, posed=replace(posed, whole=False)), Decoded(len(ids), list(ids)))
    assert (plain.text, plain.program) == (found.text, None)
