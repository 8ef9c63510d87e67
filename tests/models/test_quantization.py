"""Base models in four and eight bits, through bitsandbytes on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.support.engine import recipe, tensors, train
from tests.support.tiny import tiny_model
from tests.support.trainings import lines

from flextune.config import AdapterConfig, parse_experiment
from flextune.errors import FlextuneError
from flextune.models.adapters import load_adapter, shared_view
from flextune.models.four_bit import through_four_bits
from flextune.models.load import LoadedModel, Quantization, load_model

pytest.importorskip("bitsandbytes", reason="needs bitsandbytes (extra quantization)")

IDS = torch.tensor([[0, 70, 80, 90, 7, 8]])
KINDS: tuple[Quantization, ...] = ("nf4", "fp4", "int8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("models") / "wide", hidden_size=64, intermediate_size=128)


@pytest.fixture(scope="module")
def quantized(folder: Path) -> dict[str, LoadedModel]:
    return {kind: load_model(str(folder), device="cpu", quantization=kind) for kind in KINDS}


@pytest.mark.parametrize("kind", ["nf4", "fp4"])
def test_four_bits_are_those_that_merging_computes(
    folder: Path, quantized: dict[str, LoadedModel], kind: str
) -> None:
    from bitsandbytes.functional import dequantize_4bit

    plain = load_model(str(folder), device="cpu").model
    for name, module in quantized[kind].model.named_modules():
        if hasattr(getattr(module, "weight", None), "quant_state"):
            found = dequantize_4bit(module.weight.data, module.weight.quant_state)
            expected = through_four_bits(plain.get_parameter(f"{name}.weight"), kind)  # type: ignore[arg-type]
            # A scale that lies in the middle of two values is rounded either way.
            torch.testing.assert_close(found, expected, rtol=5e-3, atol=1e-6)


@pytest.mark.parametrize("kind", ["nf4", "int8"])
def test_a_training_changes_the_adapter_and_not_the_base(
    quantized: dict[str, LoadedModel], tmp_path: Path, kind: str
) -> None:
    base = quantized[kind]
    with torch.no_grad():
        before = base.model(input_ids=IDS).logits
        assert torch.equal(shared_view(base.model)(input_ids=IDS).logits, before)
    losses = [
        line["loss"] for line in lines(train(base, tmp_path, train=recipe(logging_steps=1))) if "loss" in line
    ]
    assert losses[-1] < losses[0]
    with torch.no_grad():
        assert torch.equal(base.model(input_ids=IDS).logits, before)
        adapted = load_adapter(base, tmp_path / "adapter").model(input_ids=IDS).logits
    assert (adapted - before).abs().max() > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("adapter", [{}, {"use_dora": True}])
def test_a_model_that_has_answered_is_trained_as_one_that_has_not(
    folder: Path, tmp_path: Path, adapter: dict[str, Any]
) -> None:
    """bitsandbytes packs weights at the first inference on some CPUs; gradients do not pass them then."""
    weights = []
    for answered in (False, True):
        base = load_model(str(folder), device="cpu", quantization="nf4")
        if answered:
            with torch.no_grad():
                base.model(input_ids=IDS)
        section = AdapterConfig(rank=2, targets="all", **adapter)
        # A validation before the first step would be an inference, too.
        made = train(base, tmp_path / str(answered), adapter=section, validation=[])
        weights.append(tensors(made))
    for name, weight in weights[0].items():
        assert torch.equal(weight, weights[1][name]), name


def test_a_key_knows_the_bits_and_a_merged_form_is_made_of_them(folder: Path) -> None:
    from flextune.runner.plan import Sources, make_plan

    text = f"""
name: bits
model: {folder}
train: {{data: rosetta, validation_size: 0}}
evaluate: [{{language: py}}]
arms:
  - {{name: plain}}
  - {{name: bits, quantization: nf4}}
  - {{name: merged, quantization: nf4, generate: {{export: merged}}}}
"""
    sources = Sources(model=str, problems=lambda part: [object()], examples=lambda train: ([], []))  # type: ignore
    experiment = parse_experiment(text, where="bits.yaml")
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patched:
        patched.setattr("flextune.runner.plan.content_digest", lambda rows: "data")
        plan = make_plan(experiment, sources)
    keys = {training.label: training.key for training in plan.trainings}
    assert len(keys) == 2
    plain, bits, merged = plan.evaluations
    assert bits.generation.form.model.quantization == "nf4"
    assert bits.generation.row()["quantization"] == "nf4"
    assert merged.generation.form.training == bits.generation.form.training != plain.generation.form.training
    assert merged.generation.form.model.quantization is None
    assert merged.generation.form.serving.onto == "nf4"


def test_what_changes_plain_weights_does_not_go_with_bits() -> None:
    with pytest.raises(FlextuneError, match=r"quantization: generate.dtype .* change plain weights; use"):
        parse_experiment("{name: x, quantization: nf4, generate: {dtype: bfloat16}}", where="x.yaml")


def test_eight_bits_cannot_be_merged_into() -> None:
    with pytest.raises(FlextuneError, match="quantization: int8 weights cannot be merged into; use nf4"):
        parse_experiment("{name: x, quantization: int8, generate: {export: merged}}", where="x.yaml")
