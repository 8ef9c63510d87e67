"""The forms in which a model answers, beside what they should compute."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch
from tests.support.merges import ARCHITECTURES, Merge, adapter_folder, merge_of
from tests.support.peft_folders import logits

from flextune.models.four_bit import through_four_bits
from flextune.models.load import LoadedModel, load_model
from flextune.models.merging.memory import merge_adapter
from flextune.models.merging.served import Serving, serve

pytestmark = pytest.mark.slow
Q = "model.layers.0.self_attn.q_proj.weight"
TOP = "model.layers.1.self_attn.q_proj.weight"


@pytest.fixture(scope="module")
def merge(tmp_path_factory: pytest.TempPathFactory) -> Merge:
    return merge_of("llama", tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module")
def base(merge: Merge) -> LoadedModel:
    return load_model(str(merge.base), device="cpu")


def weights(loaded: LoadedModel) -> dict[str, torch.Tensor]:
    return {name: each.clone() for name, each in loaded.model.state_dict().items()}


def test_every_form_leaves_the_base_model_as_it_is(merge: Merge, base: LoadedModel) -> None:
    before = weights(base)
    forms = [
        Serving(merged=True, dtype="bfloat16", rounding="stochastic"),
        Serving(onto="nf4"),
        Serving(merged=True, fault="half-the-layers"),
        Serving(merged=True, fault="another-base"),
        Serving(fault="dropout-on"),
    ]
    outputs = [logits(serve(base, merge.adapter, form).model) for form in forms]
    assert all(torch.equal(tensor, before[name]) for name, tensor in weights(base).items())
    assert all(not torch.equal(one, two) for one, two in itertools.pairwise(outputs))


def test_rounded_weights_are_numbers_of_the_narrow_type(merge: Merge, base: LoadedModel) -> None:
    exact = weights(serve(base, merge.adapter, Serving(merged=True)))
    for how in ("nearest", "stochastic"):
        rounded = weights(serve(base, merge.adapter, Serving(merged=True, dtype="bfloat16", rounding=how)))
        assert all(torch.equal(each, each.bfloat16().float()) for each in rounded.values())
        assert any(not torch.equal(each, exact[name]) for name, each in rounded.items())
        if how == "nearest":
            assert all(torch.equal(each, exact[name].bfloat16().float()) for name, each in rounded.items())


def test_alpha_twice_is_twice_the_update(merge: Merge, base: LoadedModel) -> None:
    before, once = weights(base)[Q], weights(merge_adapter(base, merge.adapter))[Q]
    twice = weights(serve(base, merge.adapter, Serving(merged=True, fault="alpha-twice")))[Q]
    torch.testing.assert_close(twice - before, 2 * (once - before))


def test_half_the_layers_are_the_base_models(merge: Merge, base: LoadedModel) -> None:
    half = weights(serve(base, merge.adapter, Serving(merged=True, fault="half-the-layers")))
    assert torch.equal(half[TOP], weights(base)[TOP])
    assert torch.equal(half[Q], weights(merge_adapter(base, merge.adapter))[Q])


def test_four_bits_are_those_of_linear_weights_alone(merge: Merge, base: LoadedModel) -> None:
    model = weights(serve(base, None, Serving(onto="nf4")))
    assert torch.equal(model[Q], through_four_bits(weights(base)[Q], "nf4"))
    for name in ("lm_head.weight", "model.embed_tokens.weight", "model.norm.weight"):
        assert torch.equal(model[name], weights(base)[name])


def test_dropout_that_is_left_on_depends_on_nothing_but_the_input(base: LoadedModel, tmp_path: Path) -> None:
    folder = Path(str(base.name))
    adapter = adapter_folder(folder, tmp_path, lora_dropout=0.5, **ARCHITECTURES["llama"])
    on = [logits(serve(base, adapter, Serving(fault="dropout-on")).model) for _ in range(2)]
    assert torch.equal(*on)
    assert not torch.allclose(on[0], logits(serve(base, adapter, Serving()).model))
