from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gguf", reason="the extra gguf is not installed")

import torch
from tests.support.gguf_files import ENDS, small_qwen, write_gguf

from flextune.errors import FlextuneError
from flextune.generation.local.completions import end_tokens
from flextune.models.gguf import gguf_name
from flextune.models.load import load_model, model_config, model_identity

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def original() -> Any:
    return small_qwen()


@pytest.fixture(scope="module")
def file(original: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf", original, head_noise=0.02)


def logits(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        result: torch.Tensor = model(input_ids=torch.tensor([[5, 9, 77, 200]])).logits
    return result


def test_a_model_from_a_gguf_file_computes_what_the_original_does(
    original: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    loaded = load_model(str(write_gguf(tmp_path / "exact.gguf", original)), device="cpu")
    assert torch.allclose(logits(loaded.model), logits(original), atol=1e-5)
    assert "gguf" not in capfd.readouterr().err.lower()
    text = "def f(x):\n    return 'é'"
    ids = loaded.tokenizer(text, add_special_tokens=False)["input_ids"]
    assert loaded.tokenizer.decode(ids) == text


def test_one_matrix_that_the_file_holds_twice_is_one_again(file: Path, original: Any, tmp_path: Path) -> None:
    model = load_model(str(file), device="cpu").model
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight
    assert model.config.tie_word_embeddings
    assert model.num_parameters() == original.num_parameters()
    other = write_gguf(tmp_path / "two.gguf", original, head_noise=1.0)
    apart = load_model(str(other), device="cpu").model
    assert apart.get_output_embeddings().weight is not apart.get_input_embeddings().weight


def test_it_can_be_saved_and_read_by_plain_transformers(file: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    loaded = load_model(str(file), device="cpu")
    loaded.model.save_pretrained(tmp_path / "saved")
    loaded.tokenizer.save_pretrained(tmp_path / "saved")
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "saved")
    assert torch.equal(logits(again), logits(loaded.model))
    assert AutoTokenizer.from_pretrained(tmp_path / "saved")("x = 1") == loaded.tokenizer("x = 1")


def test_all_ends_of_its_vocabulary_end_a_text(file: Path) -> None:
    loaded = load_model(str(file), device="cpu")
    vocabulary = loaded.tokenizer.get_vocab()
    assert {vocabulary[end] for end in ENDS} <= set(end_tokens(loaded.model, loaded.tokenizer))


def test_its_identity_is_its_content(file: Path, tmp_path: Path) -> None:
    copied = tmp_path / "copy.gguf"
    copied.write_bytes(file.read_bytes())
    assert model_identity(str(copied)) == model_identity(str(file))
    copied.write_bytes(file.read_bytes() + b"\0")
    assert model_identity(str(copied)) != model_identity(str(file))
    assert model_config(str(file)).model_type == "qwen2"


def test_what_is_no_gguf_file_is_refused_in_a_line(file: Path, original: Any, tmp_path: Path) -> None:
    with pytest.raises(FlextuneError, match=r"no such file \(there are tiny.gguf\)"):
        model_identity(str(file.with_name("tinny.gguf")))
    (tmp_path / "text.gguf").write_text("not weights")
    with pytest.raises(FlextuneError, match=r"text\.gguf is not a GGUF file"):
        model_identity(str(tmp_path / "text.gguf"))
    (tmp_path / "cut.gguf").write_bytes(file.read_bytes()[:64])
    with pytest.raises(FlextuneError, match="the GGUF file cannot be read, perhaps cut off") as caught:
        load_model(str(tmp_path / "cut.gguf"), device="cpu")
    assert "\n" not in str(caught.value)
    odd = write_gguf(tmp_path / "odd.gguf", original, architecture="unheard-of")
    with pytest.raises(FlextuneError, match="architecture unheard-of is not supported") as caught:
        model_config(str(odd))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "place", "file"),
    [
        ("owner/repo:model-q4_k_m.gguf", "owner/repo", "model-q4_k_m.gguf"),
        ("folder/model.gguf", "folder", "model.gguf"),
        ("/a/b:c/model.GGUF", "/a/b:c", "model.GGUF"),
        ("model.gguf", ".", "model.gguf"),
    ],
)
def test_a_name_is_a_file_or_a_file_of_a_repository(name: str, place: str, file: str) -> None:
    assert gguf_name(name) == (place, file)


@pytest.mark.parametrize("name", ["owner/repo", "folder", "rosetta", "model.gguf/sub"])
def test_other_names_are_none(name: str) -> None:
    assert gguf_name(name) is None
