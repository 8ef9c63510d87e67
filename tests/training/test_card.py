"""The model card in an adapter's folder."""

from __future__ import annotations

import pytest
import yaml

from flextune.config import Recipe
from flextune.training.card import model_card, with_scores


def card(base: str = "owner/model", commit: str | None = None) -> str:
    return model_card(
        base=base,
        commit=commit,
        recipe=Recipe().row(),
        counts={"examples": 9, "cut to max_length": 2},
        trained={"steps": 12, "last loss": "0.5000"},
        quantization="nf4",
    )


def test_it_has_the_hub_s_header_the_data_and_the_recipe() -> None:
    header = yaml.safe_load(card().split("---")[1])
    assert header["base_model"] == "owner/model"
    assert header["library_name"] == "peft"
    for line in ("- examples: 9", "- cut to max_length: 2", "- steps: 12", "in nf4 meanwhile", '"rank": 8'):
        assert line in card()


@pytest.mark.parametrize(
    ("base", "named", "loaded"),
    [
        ("owner/model@main", "owner/model", "'owner/model', revision='c0ffee'"),
        ("owner/model:m.gguf", "owner/model", "'owner/model', gguf_file='m.gguf', revision='c0ffee'"),
        ("./models/m.gguf", "./models/m.gguf", "'models', gguf_file='m.gguf', revision='c0ffee'"),
    ],
)
def test_it_says_how_plain_transformers_loads_the_base_model(base: str, named: str, loaded: str) -> None:
    text = card(base, "c0ffee")
    assert yaml.safe_load(text.split("---")[1])["base_model"] == named
    assert f"AutoModelForCausalLM.from_pretrained({loaded})" in text
    assert "revision" not in card(base)


def test_scores_take_the_place_of_scores() -> None:
    once = with_scores(card(), [("java, greedy", "31.0% of 158 problems")])
    assert "None yet" not in once
    again = with_scores(
        once, [("java, greedy", "32.0% of 158 problems"), ("py, greedy", "40.0% of 164 problems")]
    )
    assert "31.0%" not in again
    assert again.count("| pass@1 |") == 1
    assert again.index("32.0%") < again.index("40.0%") < again.index("## Data")
    assert with_scores(card(), []) == card()
    assert with_scores("another card", [("py", "1%")]) == "another card"
