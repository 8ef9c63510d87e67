"""docs/training.md's table of what each kind of training supports, cell by cell."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from tests.support.engine import EXAMPLES, recipe
from tests.support.power import FailAt, Power
from tests.support.tiny import tiny_model
from tests.support.trainings import lines
from transformers import AutoModelForCausalLM, TrainerCallback

from flextune.config import AdapterConfig, PenaltyConfig, Recipe, parse_experiment
from flextune.errors import FlextuneError
from flextune.models.adapters import load_adapter
from flextune.models.load import LoadedModel, load_model
from flextune.models.merging.adapted import open_adapted
from flextune.models.merging.folder import write_merged
from flextune.models.merging.memory import merge_adapter
from flextune.models.merging.served import Serving
from flextune.runner.models import ModelStore
from flextune.runner.work import BaseModel, Form
from flextune.runs.run import Run
from flextune.training.engine import train_adapter

PAGE = (Path(__file__).parents[2] / "docs/training.md").read_text(encoding="utf-8")
IDS = torch.tensor([[0, 70, 80, 90, 7, 8]])
#: Rows of the table to the section ``adapter``.
KINDS: dict[str, dict[str, Any] | None] = {
    "LoRA": {},
    "rsLoRA": {"use_rslora": True},
    "DoRA": {"use_dora": True},
    "PiSSA": {"init_lora_weights": "pissa"},
    "OLoRA": {"init_lora_weights": "olora"},
    "`targets: all-linear`": {"targets": "all-linear"},
    "all weights": None,
}


def adapter(kind: str) -> AdapterConfig | None:
    section = KINDS[kind]
    return (
        None if section is None else AdapterConfig(**{"rank": 2, "targets": "all", "dropout": 0.1, **section})
    )


class Watch(FailAt):
    """Keeps what the trained model says at the end; loses power once a step is saved, where asked to."""

    def __init__(self, fails_at: int | None = None) -> None:
        super().__init__(fails_at)
        self.logits: torch.Tensor | None = None

    def on_train_end(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        self.logits = said(model.eval())


@torch.no_grad()
def said(model: Any) -> torch.Tensor:
    logits: torch.Tensor = model(input_ids=IDS).logits
    return logits.float().clone()


@dataclass(frozen=True)
class Trained:
    """A finished training in a run's folder, and what its model said at its end."""

    run: Path
    logits: torch.Tensor

    @property
    def folder(self) -> Path:
        return self.run / "trained" / "key"

    @property
    def result(self) -> Path:
        return Run(self.run).trained("key").result


def train(loaded: LoadedModel, run: Path, kind: str, fails_at: int | None = None, **changes: Any) -> Trained:
    watch = Watch(fails_at)
    made = Recipe(
        adapter=adapter(kind), train=recipe(max_steps=4, logging_steps=1, learning_rate=5e-3), **changes
    )
    train_adapter(loaded, EXAMPLES, EXAMPLES[:2], made, run / "trained" / "key", callbacks=[watch])
    assert watch.logits is not None
    return Trained(run, watch.logits)


@pytest.fixture(scope="module")
def trained(loaded: LoadedModel, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Trained]:
    return cache(lambda kind: train(loaded, tmp_path_factory.mktemp("kind"), kind))


@pytest.fixture(scope="module")
def quantized(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    pytest.importorskip("bitsandbytes", reason="needs bitsandbytes (extra quantization)")
    folder = tiny_model(tmp_path_factory.mktemp("models") / "wide", hidden_size=64, intermediate_size=128)
    return load_model(str(folder), device="cpu", quantization="nf4")


def check_train(kind: str, loaded: LoadedModel, trained: Callable[[str], Trained]) -> None:
    """It learns, and the base model that other arms use stays as it is."""
    found = trained(kind)
    losses = [line["loss"] for line in lines(found.folder) if "loss" in line]
    assert losses[-1] < losses[0]
    fresh = AutoModelForCausalLM.from_pretrained(loaded.name).state_dict()
    assert all(torch.equal(weight, fresh[name]) for name, weight in loaded.model.state_dict().items())
    assert (found.logits - said(loaded.model)).abs().max() > 1e-3


def check_save(kind: str, loaded: LoadedModel, trained: Callable[[str], Trained]) -> None:
    """Anyone's transformers and PEFT give what the trained model gave."""
    found = trained(kind)
    if KINDS[kind] is None:
        model = AutoModelForCausalLM.from_pretrained(found.result)
    else:
        model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(loaded.name), found.result)
        assert (found.folder / "spectrum.json").is_file()
        assert json.loads((found.result / "adapter_config.json").read_text())["init_lora_weights"] is True
    torch.testing.assert_close(said(model.eval()), found.logits, atol=2e-5, rtol=0)
    card = (found.result / "README.md").read_text()
    assert "library_name: transformers" in card if KINDS[kind] is None else "library_name: peft" in card
    assert (found.result / "tokenizer.json").is_file()


def check_evaluate(kind: str, loaded: LoadedModel, trained: Callable[[str], Trained]) -> None:
    """The form that an experiment evaluates is the trained model."""
    found = trained(kind)
    form = Form(BaseModel(loaded.name, "float32", "cpu", loaded.identity), training="key")
    model = ModelStore(Run(found.run)).form(form).model
    torch.testing.assert_close(said(model), found.logits, atol=2e-5, rtol=0)


def check_merge(kind: str, loaded: LoadedModel, trained: Callable[[str], Trained]) -> None:
    """Merged in memory, and merged from files into a folder, it says the same."""
    found = trained(kind)
    if KINDS[kind] is None:
        form = Form(
            BaseModel(loaded.name, "float32", "cpu", ""), training="key", serving=Serving(merged=True)
        )
        torch.testing.assert_close(said(ModelStore(Run(found.run)).form(form).model), found.logits)
        return
    torch.testing.assert_close(
        said(merge_adapter(loaded, found.result).model), found.logits, atol=2e-5, rtol=0
    )
    output = found.run / "merged"
    write_merged(open_adapted(loaded.name, Path(loaded.name), found.result), output)
    model = AutoModelForCausalLM.from_pretrained(output).eval()
    torch.testing.assert_close(said(model), found.logits, atol=2e-5, rtol=0)


def check_penalise(kind: str, loaded: LoadedModel, tmp_path: Path) -> None:
    found = train(loaded, tmp_path, kind, penalty=PenaltyConfig(strength=0.1))
    penalties = [line["penalty"] for line in lines(found.folder) if "loss" in line]
    assert penalties[-1] > 0
    assert found.logits.isfinite().all()


def check_resume(kind: str, loaded: LoadedModel, trained: Callable[[str], Trained], tmp_path: Path) -> None:
    """Killed twice, it ends with the same bytes."""
    whole = trained(kind)
    for step in (1, 3):
        with pytest.raises(Power):
            train(loaded, tmp_path, kind, fails_at=step)
    again = train(loaded, tmp_path, kind)
    name = "model.safetensors" if KINDS[kind] is None else "adapter_model.safetensors"
    assert (again.result / name).read_bytes() == (whole.result / name).read_bytes()
    assert lines(again.folder) == lines(whole.folder)


def check_quantised(kind: str, quantized: LoadedModel, tmp_path: Path) -> None:
    found = train(quantized, tmp_path, kind)
    again = load_adapter(quantized, found.result).model
    torch.testing.assert_close(said(again), found.logits, atol=2e-5, rtol=0)


REFUSALS = {
    "penalise": "penalty: {strength: 0.1}",
    "quantised": "quantization: nf4",
}


def table() -> list[tuple[str, str, str]]:
    """Kind, column and cell."""
    section = PAGE.partition("## Kinds of training")[2].partition("`tests/training/test_kinds.py`")[0]
    lines_of_table = [line for line in section.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines_of_table]
    columns = rows[0][1:]
    return [(row[0], column, cell) for row in rows[2:] for column, cell in zip(columns, row[1:], strict=True)]


def test_the_table_is_whole() -> None:
    assert list(dict.fromkeys(kind for kind, _, _ in table())) == list(KINDS)
    assert {column for _, column, _ in table()} == {name.removeprefix("check_") for name in CHECKS}
    assert {cell for _, _, cell in table()} == {"yes", "refused", "not needed"}


CHECKS = {name: value for name, value in globals().items() if name.startswith("check_")}


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "column", "cell"), table())
def test_every_cell_is_true(request: pytest.FixtureRequest, kind: str, column: str, cell: str) -> None:
    if cell == "refused":
        section = "null" if KINDS[kind] is None else json.dumps(KINDS[kind])
        with pytest.raises(FlextuneError) as caught:
            parse_experiment(f"name: x\nadapter: {section}\n{REFUSALS[column]}", where="x.yaml")
        assert re.match(r"x\.yaml: (penalty|quantization|adapter\.init_lora_weights): ", str(caught.value))
        assert "\n" not in str(caught.value)
        return
    check = CHECKS[f"check_{column}"]
    names = [name for name in check.__code__.co_varnames[: check.__code__.co_argcount] if name != "kind"]
    check(kind, **{name: request.getfixturevalue(name) for name in names})


def test_a_pissa_training_leaves_a_plain_adapter_of_twice_the_rank(trained: Callable[[str], Trained]) -> None:
    found = trained("PiSSA")
    config = json.loads((found.result / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"]) == (4, 32)
    tensors = load_file(found.result / "adapter_model.safetensors")
    assert {min(tensor.shape) for tensor in tensors.values()} == {4}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (
            {"use_dorra": True},
            "adapter.use_dorra': did|unknown key 'adapter.use_dorra', did you mean 'use_dora'",
        ),
        ({"lora_alpha": 4}, "unknown key 'adapter.lora_alpha'; here it is called 'alpha'"),
        ({"eva_config": {}}, "adapter.eva_config: not taken: its start needs a pass over data"),
        ({"init_lora_weights": "eva"}, "adapter.init_lora_weights: eva starts from data, which is not made"),
        ({"init_lora_weights": "pisa"}, "adapter.init_lora_weights: no start is called 'pisa'"),
    ],
)
def test_options_that_peft_has_not_are_one_line(options: dict[str, Any], named: str) -> None:
    with pytest.raises(FlextuneError, match=named) as caught:
        parse_experiment(f"name: x\nadapter: {json.dumps(options)}", where="x.yaml")
    assert str(caught.value).startswith("x.yaml: ")
    assert "\n" not in str(caught.value)


def test_any_option_of_peft_is_taken_by_its_name(loaded: LoadedModel, tmp_path: Path) -> None:
    """Trained biases, ranks by module and an excluded module reach PEFT; a wrong type is one line."""
    options = {"rank_pattern": {"q_proj": 3}, "exclude_modules": ["o_proj"], "lora_bias": True}
    made = Recipe(adapter=AdapterConfig(rank=2, targets="all", **options), train=recipe(max_steps=1))
    watch = Watch()
    train_adapter(loaded, EXAMPLES, [], made, tmp_path, callbacks=[watch])
    tensors = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    assert not [name for name in tensors if "o_proj" in name]
    assert {tensors[name].shape[0] for name in tensors if "q_proj.lora_A" in name} == {3}
    assert [name for name in tensors if name.endswith("lora_B.bias")]
    assert watch.logits is not None
    again = load_adapter(loaded, tmp_path / "adapter").model
    torch.testing.assert_close(said(again), watch.logits, atol=2e-5, rtol=0)
    wrong = made.model_copy(update={"adapter": AdapterConfig(rank_pattern=3)})
    with pytest.raises(
        FlextuneError, match=r"adapter.rank_pattern: Input should be a valid dictionary \(given: 3"
    ):
        train_adapter(loaded, EXAMPLES, [], wrong, tmp_path)


def test_whole_weights_of_half_precision_train_in_float32_and_are_saved_in_half(
    loaded: LoadedModel, tmp_path: Path
) -> None:
    half = load_model(loaded.name, dtype="bfloat16", device="cpu")
    before = said(half.model)
    seen = []

    class Types(TrainerCallback):
        def on_step_begin(
            self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any
        ) -> None:
            seen.append({parameter.dtype for parameter in model.parameters()})

    made = Recipe(adapter=None, train=recipe(max_steps=2))
    train_adapter(half, EXAMPLES, EXAMPLES[:2], made, tmp_path, callbacks=[Types()])
    assert seen == [{torch.float32}, {torch.float32}]
    tensors = load_file(tmp_path / "model" / "model.safetensors")
    assert {tensor.dtype for tensor in tensors.values()} == {torch.bfloat16}
    assert json.loads((tmp_path / "model" / "config.json").read_text())["dtype"] == "bfloat16"
    assert torch.equal(said(half.model), before)
