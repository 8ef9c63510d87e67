from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from tests.support.decoding import BEAM, EVERY_WAY, GREEDY, SAMPLE
from tests.support.decoding import answers as run

from flextune.config import AdapterConfig, DecodeConfig
from flextune.errors import FlextuneError
from flextune.generation.engine import Request
from flextune.generation.local.engine import LocalEngine
from flextune.generation.local.rows import Row, plan_batches
from flextune.generation.local.slots import SlotModel
from flextune.models.adapters import attach_adapter
from flextune.models.encoding import decode_completion, encode_prompt
from flextune.models.load import LoadedModel
from flextune.records import Completion, Problem

pytestmark = pytest.mark.slow


def by_key(answers: Sequence[Completion]) -> dict[tuple[str, int], Completion]:
    return {(answer.name, answer.sample): answer for answer in answers}


def without_margin(answer: Completion) -> Completion:
    """Its last digits depend on the neighbours in the batch."""
    return replace(answer, margin=None)


def without_stops(problems: Sequence[Problem]) -> list[Problem]:
    return [replace(problem, stop=()) for problem in problems]


@pytest.fixture(scope="module")
def greedy_alone(engine: LocalEngine, problems: list[Problem]) -> dict[tuple[str, int], Completion]:
    return by_key(run(engine, without_stops(problems), GREEDY.model_copy(update={"batch_size": 1})))


def test_greedy_equals_generate_on_one_unpadded_prompt(
    loaded: LoadedModel, problems: list[Problem], greedy_alone: dict[tuple[str, int], Completion]
) -> None:
    eos = loaded.model.generation_config.eos_token_id
    finishes = set()
    for problem in problems:
        ids = torch.tensor([encode_prompt(loaded.tokenizer, problem.prompt)])
        new = loaded.model.generate(ids, max_new_tokens=40, do_sample=False)[0, ids.shape[1] :].tolist()
        answer = greedy_alone[problem.name, 0]
        ended = new[-1] in eos
        assert answer.text == decode_completion(loaded.tokenizer, new[: len(new) - ended])
        assert answer.finish == ("eos" if ended else "length")
        assert answer.tokens == len(new)
        finishes.add(answer.finish)
    assert finishes == {"eos", "length"}


@pytest.mark.parametrize("batch_size", [3, 8, 32])
def test_greedy_text_does_not_depend_on_the_batch_size(
    engine: LocalEngine,
    problems: list[Problem],
    greedy_alone: dict[tuple[str, int], Completion],
    batch_size: int,
) -> None:
    answers = run(engine, without_stops(problems), GREEDY.model_copy(update={"batch_size": batch_size}))
    # Margins too: not a bit of a logit depends on the neighbours.
    assert by_key(answers) == greedy_alone


def test_margin_is_the_smallest_gap_along_the_path(
    loaded: LoadedModel, problems: list[Problem], greedy_alone: dict[tuple[str, int], Completion]
) -> None:
    for problem in problems[:6]:
        prompt = encode_prompt(loaded.tokenizer, problem.prompt)
        ids = torch.tensor([prompt])
        new = loaded.model.generate(ids, max_new_tokens=40, do_sample=False)
        # One pass over the whole text, no cache and no padding.
        logits = loaded.model(new).logits[0, len(prompt) - 1 : -1]
        top = logits.topk(2).values
        expected = float((top[:, 0] - top[:, 1]).min())
        assert greedy_alone[problem.name, 0].margin == pytest.approx(expected, abs=1e-5)


# A beam that stops is ranked by another length, so there another beam may win.
@pytest.mark.parametrize("decode", [GREEDY, SAMPLE], ids=["greedy", "sample"])
def test_stops_cut_what_the_same_decoding_says_without_them(
    engine: LocalEngine, problems: list[Problem], decode: DecodeConfig
) -> None:
    plain = by_key(run(engine, without_stops(problems), decode))
    # A letter from the middle of the model's own answers, so that some rows stop and some do not.
    stop = sorted(answer.text for answer in plain.values() if len(answer.text) > 8)[0][4]
    stopping = [replace(problem, stop=(stop,)) for problem in problems]
    finishes = set()
    for key, answer in by_key(run(engine, stopping, decode)).items():
        text, found, _ = plain[key].text.partition(stop)
        assert answer.text == text
        assert (answer.finish == "stop") == bool(found)
        assert answer.tokens <= plain[key].tokens
        if not found:
            assert without_margin(answer) == without_margin(plain[key])
        finishes.add(answer.finish)
    assert len(finishes) > 1


def test_beams_stop_at_a_stop(engine: LocalEngine, problems: list[Problem]) -> None:
    [plain, *_] = run(engine, without_stops(problems[:1]), BEAM)
    stop = plain.text[3]
    [answer] = run(engine, [replace(problems[0], stop=(stop,))], BEAM)
    assert stop not in answer.text
    assert answer.tokens <= BEAM.max_new_tokens


def test_beam_search_finds_the_likeliest_pair_when_it_is_exhaustive(
    loaded: LoadedModel, problems: list[Problem]
) -> None:
    vocabulary = loaded.model.config.vocab_size
    engine = LocalEngine(loaded)
    engine._eos = frozenset()
    decode = BEAM.model_copy(update={"num_beams": vocabulary, "max_new_tokens": 2, "batch_size": 2})
    answers = by_key(run(engine, without_stops(problems[:2]), decode))
    for problem in problems[:2]:
        prompt = torch.tensor(encode_prompt(loaded.tokenizer, problem.prompt))
        pairs = torch.cat((prompt.expand(vocabulary, -1), torch.arange(vocabulary)[:, None]), dim=1)
        log_probs = loaded.model(pairs).logits[:, -2:].log_softmax(-1)
        total = log_probs[0, 0][:, None] + log_probs[:, 1]
        first, second = divmod(int(total.argmax()), vocabulary)
        assert answers[problem.name, 0].text == decode_completion(loaded.tokenizer, [first, second])


@EVERY_WAY
@pytest.mark.slow
def test_an_answer_is_the_same_alone_and_in_a_batch(
    engine: LocalEngine, problems: list[Problem], decode: DecodeConfig
) -> None:
    alone = run(engine, problems, decode.model_copy(update={"batch_size": 1}))
    together = by_key(run(engine, problems, decode))
    same = [without_margin(a) == without_margin(together[a.name, a.sample]) for a in alone]
    near_ties = sum(answer.margin is not None and answer.margin < 1e-4 for answer in alone)
    assert same.count(False) <= near_ties
    assert len(same) == len(problems) * decode.n


@EVERY_WAY
def test_a_resumed_run_gives_to_the_last_digit_what_is_missing(
    engine: LocalEngine, problems: list[Problem], decode: DecodeConfig
) -> None:
    whole = run(engine, problems, decode)
    # Killed in the middle of a batch.
    kept = len(whole) // 2 + 1
    done = {(answer.name, answer.sample) for answer in whole[:kept]}
    batches = list(engine.generate(problems, decode, seed=0, done=done))
    rest = [answer for batch in batches for answer in batch]
    assert len(rest) == len(whole) - kept
    assert by_key(rest) == by_key(whole[kept:])
    everything = {(answer.name, answer.sample) for answer in whole}
    assert list(engine.generate(problems, decode, seed=0, done=everything)) == []


def test_another_seed_draws_another_text(engine: LocalEngine, problems: list[Problem]) -> None:
    first, again, other = (run(engine, problems[:4], SAMPLE, seed) for seed in (0, 0, 1))
    assert first == again
    assert [answer.text for answer in first] != [answer.text for answer in other]
    assert len({answer.text for answer in first}) > 4


def test_sampling_leaves_the_global_generator_alone(engine: LocalEngine, problems: list[Problem]) -> None:
    before = torch.random.get_rng_state()
    run(engine, problems[:2], SAMPLE)
    assert torch.equal(before, torch.random.get_rng_state())


@EVERY_WAY
def test_a_long_prompt_gets_the_tokens_that_fit(
    engine: LocalEngine, loaded: LoadedModel, problems: list[Problem], decode: DecodeConfig
) -> None:
    context = loaded.model.config.max_position_embeddings
    # BOS counts too.
    lengths = {"three": context - 4, "none": context - 1, "beyond": context + 50}
    long = [Problem(name, "made-up", "py", "#" * length, "") for name, length in lengths.items()]
    answers = by_key(run(engine, [*long, *problems[:2]], decode))
    assert answers["three", 0].tokens <= 3
    for name in ("none", "beyond"):
        answer = answers[name, 0]
        assert (answer.text, answer.finish, answer.tokens, answer.margin) == ("", "length", 0, None)
    for answer in run(engine, problems[:2], decode):
        assert without_margin(answers[answer.name, answer.sample]) == without_margin(answer)


def test_an_empty_prompt_is_continued_from_bos_or_refused(
    loaded: LoadedModel, engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = Problem("empty", "made-up", "py", "", "")
    [answer] = run(engine, [empty], GREEDY)
    assert answer.tokens > 0
    monkeypatch.setattr("flextune.generation.local.posing.encode_prompt", lambda tokenizer, text: [])
    with pytest.raises(FlextuneError, match="empty: the prompt is empty"):
        run(engine, [empty], GREEDY)


def test_batches_depend_on_the_whole_list_and_keep_lengths_together() -> None:
    problem = Problem("p", "made-up", "py", "", "")
    lengths = [3, 9, 5, 9, 1, 7]
    rows = [Row(0, problem, n, (0,) * length, 10, GREEDY) for n, length in enumerate(lengths)]
    plan = plan_batches(rows, 4)
    assert [[row.sample for row in batch] for batch in plan] == [[1, 3, 5, 2], [0, 4]]


def test_prompts_of_one_length_share_a_batch_where_padding_would_count() -> None:
    problem = Problem("p", "made-up", "py", "", "")
    rows = [Row(0, problem, n, (0,) * length, 10, GREEDY) for n, length in enumerate([3, 9, 3, 9, 3])]
    plan = plan_batches(rows, 2, equal_lengths=True)
    assert [[row.sample for row in batch] for batch in plan] == [[1, 3], [0, 2], [4]]


@pytest.mark.parametrize(("name", "expected"), [("rosetta", 1), ("other", 2)])
def test_the_embedded_model_alone_is_decoded_on_one_thread(
    loaded: LoadedModel, problems: list[Problem], name: str, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = [2]
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads[-1])
    monkeypatch.setattr(torch, "set_num_threads", threads.append)
    engine = LocalEngine(replace(loaded, name=name))
    during: list[int] = []
    step = SlotModel.step

    def watched(*arguments: Any) -> torch.Tensor:
        during.append(threads[-1])
        return step(*arguments)

    monkeypatch.setattr(SlotModel, "step", watched)
    list(engine.generate(problems[:1], GREEDY, seed=0))
    assert set(during) == {expected}
    assert threads[-1] == 2


def test_no_problems_give_no_batches(engine: LocalEngine) -> None:
    assert list(engine.generate([], GREEDY, seed=0)) == []


@EVERY_WAY
def test_a_fresh_adapter_changes_no_answer(
    loaded: LoadedModel, engine: LocalEngine, problems: list[Problem], decode: DecodeConfig
) -> None:
    copied = replace(loaded, model=copy.deepcopy(loaded.model))
    adapted = replace(copied, model=attach_adapter(copied, AdapterConfig(), seed=0).eval())
    for ours, theirs in zip(
        run(LocalEngine(adapted), problems[:4], decode), run(engine, problems[:4], decode), strict=True
    ):
        assert without_margin(ours) == without_margin(theirs)


def test_a_model_with_learned_positions_is_decoded_to_the_end_of_its_context():
    from tests.support.tiny import tiny_tokenizer
    from transformers import GPT2Config, GPT2LMHeadModel

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = GPT2LMHeadModel(
            GPT2Config(vocab_size=258, n_positions=16, n_embd=16, n_layer=1, n_head=2, bos_token_id=0)
        ).eval()
    tokenizer = tiny_tokenizer()
    tokenizer.pad_token = tokenizer.eos_token
    engine = LocalEngine(LoadedModel(model, tokenizer, "gpt2", "gpt2"))
    problems = [Problem("a", "b", "py", "x" * 14, ""), Problem("c", "b", "py", "xyz", "")]
    together = by_key(run(engine, problems, DecodeConfig(max_new_tokens=12, batch_size=2)))
    alone = by_key(run(engine, problems, DecodeConfig(max_new_tokens=12, batch_size=1)))
    assert together["a", 0].tokens == 1
    assert {key: answer.text for key, answer in together.items()} == {
        key: answer.text for key, answer in alone.items()
    }


def test_requests_that_are_asked_together_get_the_answers_that_each_gets_alone(
    engine: LocalEngine, problems: list[Problem]
) -> None:
    sharp = SAMPLE.model_copy(update={"temperature": 0.4, "top_p": 0.8, "top_k": 20, "min_p": 0.02})
    once = GREEDY.model_copy(update={"repetition_penalty": 1.3})
    decodes = [GREEDY, SAMPLE, sharp, once, BEAM]
    requests = [Request(problems[:5], decode, seed) for seed, decode in enumerate(decodes)]
    together: dict[int, list[Completion]] = {place: [] for place in range(len(requests))}
    for answers in engine.answer(requests):
        for answer in answers:
            together[answer.request].append(answer.completion)
    for place, request in enumerate(requests):
        alone = run(engine, request.problems, request.decode, request.seed)
        assert by_key(together[place]) == by_key(alone)
        assert len(together[place]) == len(alone)


def test_a_prompt_is_read_once_for_all_its_samples_and_settings(
    engine: LocalEngine, problems: list[Problem], monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts: list[Sequence[int]] = []
    read = SlotModel.read

    def counted(self: SlotModel, texts: Sequence[Sequence[int]]) -> Any:
        prompts.extend(texts)
        return read(self, texts)

    monkeypatch.setattr(SlotModel, "read", counted)
    ten = SAMPLE.model_copy(update={"n": 10, "batch_size": None})
    list(engine.answer([Request(problems[:3], GREEDY.model_copy(update={"batch_size": None}), 0)] + [
        Request(problems[:3], ten, seed) for seed in (0, 1)
    ]))  # fmt: skip
    assert len(prompts) == len({tuple(prompt) for prompt in prompts}) == 3


@pytest.mark.parametrize("decode", [GREEDY, SAMPLE, BEAM], ids=["greedy", "sample", "beam"])
def test_what_does_not_fit_into_memory_is_decoded_in_smaller_batches(
    engine: LocalEngine, problems: list[Problem], decode: DecodeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = by_key(run(engine, problems[:6], decode))
    forward = engine._model.forward
    calls = []

    def tight(*arguments: Any, **options: Any) -> Any:
        ids = options["input_ids"]
        calls.append(len(ids))
        # What is computed along, to keep sums in order, does not count here.
        if (ids.shape[1] == 1 and len(ids) > 16) or (ids.shape[1] > 1 and len(ids) > 4):
            raise torch.OutOfMemoryError("made up")
        return forward(*arguments, **options)

    monkeypatch.setattr(engine._model, "forward", tight)
    answers = by_key(run(engine, problems[:6], decode.model_copy(update={"batch_size": 32})))
    assert {key: without_margin(answer) for key, answer in answers.items()} == {
        key: without_margin(answer) for key, answer in expected.items()
    }
    assert max(calls) > 4


def test_a_text_that_does_not_fit_alone_is_an_error_that_says_what_to_lower(
    engine: LocalEngine, problems: list[Problem], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any, **options: Any) -> Any:
        raise torch.OutOfMemoryError("made up")

    monkeypatch.setattr(engine._model, "forward", full)
    with pytest.raises(
        FlextuneError, match=r"out of memory for one text of \d+ tokens .* lower max_new_tokens"
    ):
        run(engine, problems[:2], GREEDY)


@pytest.mark.parametrize(
    "changes", [{"length_penalty": 0.3}, {"early_stopping": True}, {"repetition_penalty": 1.5}]
)
def test_beams_equal_generate_with_the_same_settings(
    loaded: LoadedModel, engine: LocalEngine, problems: list[Problem], changes: dict[str, Any]
) -> None:
    answers = by_key(run(engine, without_stops(problems[:6]), BEAM.model_copy(update=changes)))
    for problem in problems[:6]:
        ids = torch.tensor([encode_prompt(loaded.tokenizer, problem.prompt)])
        new = loaded.model.generate(
            ids, max_new_tokens=BEAM.max_new_tokens, num_beams=BEAM.num_beams, do_sample=False, **changes
        )[0, ids.shape[1] :].tolist()
        eos = loaded.model.generation_config.eos_token_id
        end = next((place for place, token in enumerate(new) if token in eos), len(new))
        assert answers[problem.name, 0].text == decode_completion(loaded.tokenizer, new[:end])
