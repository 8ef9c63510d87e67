"""Other ways of decoding a benchmark with transformers: what people run today."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from transformers import StoppingCriteria, StoppingCriteriaList

from flextune.config import DecodeConfig
from flextune.generation.local.completions import end_tokens
from flextune.models.encoding import decode_completion, encode_prompt
from flextune.models.load import LoadedModel
from flextune.records import Problem
from flextune.stopping import cut_at_stop, tail_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

Texts = dict[tuple[str, int], str]


class AtStops(StoppingCriteria):
    """Rows whose last tokens hold a stop string; ``generate`` ends when all rows have one."""

    def __init__(self, loaded: LoadedModel, stops: Sequence[str], width: int) -> None:
        self._tokenizer, self._stops, self._width = loaded.tokenizer, stops, width
        self._tail = tail_tokens(stops) + 1

    def __call__(self, input_ids: Tensor, scores: Any, **options: Any) -> Tensor:
        """One flag a row."""
        new = input_ids[:, self._width :][:, -self._tail :].tolist()
        texts = [decode_completion(self._tokenizer, ids) for ids in new]
        flags = [cut_at_stop(text, self._stops)[1] for text in texts]
        return torch.tensor(flags, device=input_ids.device)


def per_problem(loaded: LoadedModel, problems: Sequence[Problem], decode: DecodeConfig) -> Texts:
    """One prompt after the other, its samples as a batch: the BigCode harness's way."""
    texts: Texts = {}
    for problem in problems:
        ids = torch.tensor([encode_prompt(loaded.tokenizer, problem.prompt)], device=loaded.model.device)
        rows = _generate(loaded, ids, torch.ones_like(ids), problem.stop, decode, decode.n)
        texts |= {(problem.name, sample): text for sample, text in enumerate(rows)}
    return texts


def fixed_batches(loaded: LoadedModel, problems: Sequence[Problem], decode: DecodeConfig, size: int) -> Texts:
    """Batches in the benchmark's order, padded on the left."""
    texts: Texts = {}
    for batch in _chunks([(p, sample) for p in problems for sample in range(decode.n)], size):
        prompts = [encode_prompt(loaded.tokenizer, problem.prompt) for problem, _ in batch]
        width = max(map(len, prompts))
        ids = torch.tensor([[0] * (width - len(prompt)) + prompt for prompt in prompts])
        mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
        device = loaded.model.device
        rows = _generate(loaded, ids.to(device), mask.to(device), batch[0][0].stop, decode, 1)
        texts |= {(problem.name, sample): text for (problem, sample), text in zip(batch, rows, strict=True)}
    return texts


def _generate(
    loaded: LoadedModel, ids: Tensor, mask: Tensor, stops: Sequence[str], decode: DecodeConfig, samples: int
) -> list[str]:
    eos = sorted(end_tokens(loaded.model, loaded.tokenizer))
    drawn = {"do_sample": True, "temperature": decode.temperature, "top_p": decode.top_p, "top_k": 0}
    with torch.inference_mode():
        output = loaded.model.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=decode.max_new_tokens,
            num_return_sequences=samples,
            pad_token_id=eos[0],
            eos_token_id=eos,
            stopping_criteria=StoppingCriteriaList([AtStops(loaded, stops, ids.shape[1])]),
            **(drawn if decode.strategy == "sample" else {"do_sample": False}),
        )
    return [_text(loaded, row, eos, stops) for row in output[:, ids.shape[1] :].tolist()]


def _text(loaded: LoadedModel, ids: list[int], eos: Sequence[int], stops: Sequence[str]) -> str:
    end = next((place for place, token in enumerate(ids) if token in eos), None)
    text = decode_completion(loaded.tokenizer, ids[:end])
    return cut_at_stop(text, stops, ended=end is not None)[0]


def _chunks(rows: Sequence[tuple[Problem, int]], size: int) -> Iterator[Sequence[tuple[Problem, int]]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
