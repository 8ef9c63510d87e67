"""A model that computes NaN is an error that says so, not an empty text."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.support.decoding import EVERY_WAY, answers

from flextune.config import DecodeConfig
from flextune.errors import FlextuneError
from flextune.files.lines import LineWriter
from flextune.generation.local import LocalEngine
from flextune.generation.local.sampling import draw
from flextune.models.load import LoadedModel
from flextune.records import Problem, as_row


def broken(
    loaded: LoadedModel, value: float, parameter: str = "model.layers.0.mlp.up_proj.weight"
) -> LoadedModel:
    """The model with one weight set to ``value``."""
    model = copy.deepcopy(loaded.model)
    with torch.no_grad():
        model.get_parameter(parameter).view(-1)[0] = value
    return replace(loaded, model=model, name="bad")


@EVERY_WAY
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_logits_are_an_error_that_names_model_and_problem(
    loaded: LoadedModel, problems: list[Problem], decode: DecodeConfig, value: float
) -> None:
    engine = LocalEngine(broken(loaded, value))
    with pytest.raises(FlextuneError, match=r"model 'bad': NaN logits at the prompt of 'p\d+'") as caught:
        answers(engine, problems[:3], decode)
    assert "another dtype than float32" in str(caught.value)
    assert "\n" not in str(caught.value)


@EVERY_WAY
def test_one_row_that_turns_nan_on_its_way_is_named(
    loaded: LoadedModel, problems: list[Problem], decode: DecodeConfig
) -> None:
    """A token that only one prompt holds has a NaN embedding."""
    model = copy.deepcopy(loaded.model)
    odd = replace(problems[2], name="odd", prompt="def g(~):")
    [token] = loaded.tokenizer("~", add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        model.get_input_embeddings().weight[token] = float("nan")
    engine = LocalEngine(replace(loaded, model=model))
    with pytest.raises(FlextuneError, match="NaN logits at the prompt of 'odd'"):
        answers(engine, [*problems[:2], odd], decode)


def test_drawing_from_nan_stays_within_the_vocabulary() -> None:
    """An id past it would end a CUDA context for the whole process."""
    tokens = draw(torch.full((2, 5), float("nan")), torch.tensor([0.0, 0.99], dtype=torch.float64))
    assert tokens.max() < 5


def test_a_margin_is_a_number_of_json_or_none(
    loaded: LoadedModel, problems: list[Problem], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that rules out all tokens but one leaves an infinite gap."""
    model = copy.deepcopy(loaded.model)

    def only_one(module: object, arguments: object, output: torch.Tensor) -> torch.Tensor:
        return torch.full_like(output, float("-inf")).index_fill_(-1, torch.tensor([70]), 1.0)

    model.lm_head.register_forward_hook(only_one)
    [answer] = answers(
        LocalEngine(replace(loaded, model=model)), problems[:1], DecodeConfig(max_new_tokens=9)
    )
    assert (answer.tokens, answer.margin) == (9, None)
    with LineWriter(tmp_path / "completions.jsonl") as writer:
        writer.write([as_row(answer)])
    text = (tmp_path / "completions.jsonl").read_text(encoding="utf-8")
    assert "Infinity" not in text
    assert json.loads(text)["margin"] is None
