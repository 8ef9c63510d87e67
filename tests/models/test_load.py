from __future__ import annotations

import shutil
from pathlib import Path

import huggingface_hub.constants
import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.support.peft_folders import save_adapter
from tests.support.tiny import tiny_model

import flextune.models.load as base
from flextune.config import AdapterConfig
from flextune.errors import FlextuneError
from flextune.models.adapters import attach_adapter, shared_view
from flextune.models.devices import resolve_device
from flextune.models.load import LoadedModel, load_model, model_files, model_identity


@pytest.fixture
def copy(model_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model_folder, tmp_path / "copy"))


def test_loaded_model_is_ready_for_use(loaded: LoadedModel) -> None:
    assert not loaded.model.training
    assert not any(parameter.requires_grad for parameter in loaded.model.parameters())
    assert loaded.tokenizer.pad_token_id is not None
    assert loaded.model.dtype == torch.float32


def test_dtype_is_that_of_the_weights(model_folder: Path) -> None:
    assert load_model(str(model_folder), dtype="bfloat16", device="cpu").model.dtype == torch.bfloat16


def test_identity_follows_content_not_path(loaded: LoadedModel, model_folder: Path, copy: Path) -> None:
    assert loaded.identity == model_identity(str(model_folder)) == model_identity(str(copy))
    weights = load_file(copy / "model.safetensors")
    weights["model.norm.weight"][0] += 1
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    assert model_identity(str(copy)) != loaded.identity


def test_identity_of_a_large_file_sees_a_changed_block(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "_WHOLE_FILE_BYTES", 16)
    monkeypatch.setattr(base, "_SAMPLE_BYTES", 8)
    before = model_identity(str(copy))
    data = bytearray((copy / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (copy / "model.safetensors").write_bytes(data)
    assert model_identity(str(copy)) != before


def test_embedded_model_is_found_by_its_name(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "model_folder", lambda: model_folder)
    assert model_identity("rosetta") == model_identity(str(model_folder))


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/at/all", "a/b/c"])
def test_missing_folder_is_named(name: str) -> None:
    with pytest.raises(FlextuneError, match="no such folder"):
        load_model(name)


def test_folder_without_config_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(FlextuneError, match=r"no config\.json"):
        model_identity(str(tmp_path))


def test_hub_name_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(FlextuneError, match="no such folder, and the hub cannot be reached"):
        load_model("nobody/such-a-model")
    with pytest.raises(FlextuneError, match="neither a folder nor a hub id"):
        load_model("no:such name")


def test_missing_weights(copy: Path) -> None:
    (copy / "model.safetensors").unlink()
    with pytest.raises(FlextuneError, match=r"cannot be loaded: .*no file named"):
        load_model(str(copy), device="cpu")


def test_truncated_weights(copy: Path) -> None:
    file = copy / "model.safetensors"
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(FlextuneError, match="damaged"):
        load_model(str(copy), device="cpu")


def test_checkpoint_that_lacks_a_tensor_is_not_filled_with_random_numbers(copy: Path) -> None:
    weights = load_file(copy / "model.safetensors")
    del weights["model.norm.weight"]
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(FlextuneError, match=r"lack 1 tensors, first model\.norm\.weight"):
        load_model(str(copy), device="cpu")


def test_errors_are_one_line(copy: Path) -> None:
    (copy / "config.json").write_text("{")
    with pytest.raises(FlextuneError) as caught:
        load_model(str(copy), device="cpu")
    assert "\n" not in str(caught.value)


def test_device_that_does_not_exist() -> None:
    with pytest.raises(FlextuneError, match="'tpu9'"):
        resolve_device("tpu9")
    if not torch.cuda.is_available():
        with pytest.raises(FlextuneError, match="no CUDA device"):
            resolve_device("cuda")
        assert resolve_device("auto") == torch.device("cpu")


def test_tied_output_head_is_not_a_missing_tensor(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "tied", tie_word_embeddings=True)
    assert "lm_head.weight" not in load_file(folder / "model.safetensors")
    model = load_model(str(folder), device="cpu").model
    assert model.lm_head.weight is model.model.embed_tokens.weight
    view = shared_view(model)
    assert view.lm_head.weight is model.lm_head.weight
    assert view.model.norm is not model.model.norm


def test_an_adapter_given_as_a_model_is_answered_with_how_to_give_it(
    model_folder: Path, tmp_path: Path
) -> None:
    folder = save_adapter(model_folder, tmp_path / "adapter")
    with pytest.raises(FlextuneError) as caught:
        load_model(str(folder))
    assert str(caught.value).endswith(
        f"no config.json in {folder}; it is an adapter: give it with its base model, "
        f"as {model_folder}+{folder} to a command, or in a file as model: {model_folder} with an arm "
        f"{{name: mine, adapter: {folder}}}"
    )


def test_a_model_under_the_home_is_found(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(model_folder.parent))
    assert model_identity(f"~/{model_folder.name}") == model_identity(str(model_folder))


def test_a_tokenizer_that_is_not_there_is_named(copy: Path) -> None:
    (copy / "tokenizer.json").unlink()
    with pytest.raises(
        FlextuneError, match=r"its tokenizer cannot be built: there is no tokenizer\.json"
    ) as caught:
        load_model(str(copy), device="cpu")
    assert "sentencepiece" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["{", "version https://git-lfs.github.com/spec/v1", '{"model": {}}'])
def test_a_damaged_tokenizer_is_one_line(copy: Path, text: str) -> None:
    (copy / "tokenizer.json").write_text(text)
    with pytest.raises(FlextuneError, match="tokenizer") as caught:
        load_model(str(copy), device="cpu")
    assert "\n" not in str(caught.value)
    assert not str(caught.value).endswith(":")


@pytest.fixture
def hub(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A cache of the hub, without a network, with two revisions of ``org/code``: names and their commits."""
    cache, commits = tmp_path / "cache", {"main": "a" * 40, "v1.0": "b" * 40}
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    repository = cache / "models--org--code"
    (repository / "refs").mkdir(parents=True)
    for name, commit in commits.items():
        (repository / "refs" / name).write_text(commit)
        weights = load_file(copy / "model.safetensors")
        weights["model.norm.weight"][0] += len(name)
        save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
        shutil.copytree(copy, repository / "snapshots" / commit)
    return commits


@pytest.mark.parametrize("name", ["org/code", "org/code@main", "org/code@v1.0", "org/code@" + "b" * 40])
def test_a_model_of_the_hub_is_loaded_at_the_revision_that_its_name_asks_for(
    name: str, hub: dict[str, str]
) -> None:
    asked = name.partition("@")[2] or "main"
    commit = hub.get(asked, asked)
    there = Path(huggingface_hub.constants.HF_HUB_CACHE) / "models--org--code" / "snapshots" / commit
    loaded = load_model(name, device="cpu")
    assert (loaded.name, loaded.identity, loaded.commit) == (name, f"org/code@{commit}", commit)
    assert model_identity(loaded.identity) == loaded.identity
    norm = load_file(there / "model.safetensors")["model.norm.weight"]
    assert torch.equal(loaded.model.model.norm.weight, norm.to(torch.float32))
    assert model_files(name) == there
    assert model_files(name, "v1.0") == (there if "@" in name else there.parent / hub["v1.0"])
    adapted = attach_adapter(loaded, AdapterConfig(), seed=0)
    assert adapted.peft_config["default"].revision == commit


def test_a_folder_may_have_an_at_sign_and_has_no_commit(copy: Path) -> None:
    folder = copy.rename(copy.parent / "code@v1.0")
    loaded = load_model(str(folder), device="cpu")
    assert (loaded.identity, loaded.commit) == (model_identity(str(folder)), None)
    assert attach_adapter(loaded, AdapterConfig(), seed=0).peft_config["default"].revision is None


def test_a_revision_that_is_not_there(hub: dict[str, str]) -> None:
    with pytest.raises(FlextuneError, match="model 'org/code@v2': no such folder, and the hub cannot be"):
        load_model("org/code@v2")
    with pytest.raises(FlextuneError, match="'org/code@': no revision after the @"):
        load_model("org/code@")
    with pytest.raises(FlextuneError, match="'@v1': no name before the @"):
        load_model("@v1")


@pytest.mark.parametrize("name", ["rosetta", "folder", "file.gguf"])
def test_what_is_on_this_machine_has_no_revision(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file.gguf").write_bytes(b"GGUF")
    with pytest.raises(FlextuneError, match=f"{name} is on this machine, and only the hub has revisions"):
        model_identity(f"{name}@v1")
