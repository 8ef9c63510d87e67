"""Merging and auditing from end to end: what is kept, what is refused, and what is said."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.support.merges import Merge, changed, merge_of, write_gguf

import flextune as ft
from flextune.audit.merging.companions import companion_faults
from flextune.audit.merging.faults import weight_faults
from flextune.audit.merging.verdict import EXIT_CODES
from flextune.audit.merging.weights import audit_weights
from flextune.errors import FlextuneError
from flextune.models.load import model_identity
from flextune.models.merging.gguf_file import open_gguf
from flextune.models.merging.parameters import ModelFiles
from flextune.progress import Silent
from flextune.runner.merging.base import find_base

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Merge:
    return merge_of("llama", tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("prompts") / "prompts.txt"
    file.write_text("def first(x):\n\ndef second(y):\n")
    return file


def audited(merge: Merge, prompts: Path, output: Path | None = None, **options: Any) -> Any:
    options = {"prompts": prompts, "max_new_tokens": 4, "audit": True, "device": "cpu", **options}
    return ft.merge(merge.adapter, output, **options)


def test_a_right_merge_is_equivalent_and_kept(llama: Merge, prompts: Path, tmp_path: Path) -> None:
    result = audited(llama, prompts, tmp_path / "merged", dtype="float32")
    assert result.audit.verdict == "equivalent"
    assert result.audit.reasons == []
    assert result.folder == tmp_path / "merged"
    tokens = result.audit.tokens
    assert tokens.kl < 1e-9
    assert tokens.top1 == 1
    assert tokens.effect > 1e-4
    assert (result.audit.texts, result.audit.changed_texts) == (2, ())
    assert json.loads(json.dumps(result.audit.as_row()))["verdict"] == "equivalent"


@pytest.mark.parametrize("fault", ["alpha-twice", "not-merged"])
def test_a_wrong_merge_of_another_tool_is_different(
    fault: str, llama: Merge, prompts: Path, tmp_path: Path
) -> None:
    factor = 2 if fault == "alpha-twice" else 0
    wrong = changed(llama, tmp_path / "wrong", lambda name, base, update: base + factor * update)
    result = audited(llama, prompts, against=wrong)
    assert result.audit.verdict == "different"
    assert result.audit.exit_code == EXIT_CODES["different"] == 4
    assert fault in [each.name for each in result.audit.faults]
    assert result.audit.tokens.kl > 1e-4


def test_an_update_lost_in_rounding_is_refused_unless_forced(tmp_path: Path) -> None:
    merge = merge_of("llama", tmp_path, size=1e-6)
    target = tmp_path / "merged"
    result = ft.merge(merge.adapter, target)
    assert (result.folder, result.refused, result.audit.verdict) == (None, True, "different")
    assert sorted(os.listdir(tmp_path)) == ["adapter", "base"]
    forced = ft.merge(merge.adapter, target, force=True)
    assert (forced.folder, forced.refused, forced.audit.verdict) == (target, False, "different")
    assert ft.merge(merge.adapter, tmp_path / "wide", dtype="float32").audit.verdict == "equivalent"


def test_an_audit_alone_leaves_nothing(llama: Merge, prompts: Path) -> None:
    before = sorted(os.listdir(llama.base.parent))
    assert audited(llama, prompts).folder is None
    assert sorted(os.listdir(llama.base.parent)) == before


def test_what_is_missing_beside_the_weights_is_named(llama: Merge, tmp_path: Path) -> None:
    folder = llama.written(tmp_path / "merged", torch.float32)
    (folder / "generation_config.json").unlink()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink(missing_ok=True)
    faults = companion_faults(llama.base, llama.adapter, folder, ["def f"])
    assert [(each.name, each.grave) for each in faults] == [("tokenizer", True), ("generation-config", False)]


def test_another_chat_template_is_named(llama: Merge, tmp_path: Path) -> None:
    folder = llama.written(tmp_path / "merged")
    (folder / "chat_template.jinja").write_text("{{ other }}")
    (fault,) = companion_faults(llama.base, llama.adapter, folder, ["def f"])
    assert (fault.name, fault.grave) == ("chat-template", False)


def test_a_gguf_conversion_is_audited(llama: Merge, tmp_path: Path) -> None:
    """Of the merged model, and of one with alpha twice; of a quantised one, its kind is told."""
    pytest.importorskip("gguf", reason="gguf is not installed")
    right = llama.written(tmp_path / "right", torch.float16)
    wrong = changed(llama, tmp_path / "wrong", lambda name, base, update: base + 2 * update)
    for folder, faults in ((right, []), (wrong, ["alpha-twice"])):
        file = write_gguf(tmp_path / f"{folder.name}.gguf", folder)
        checkpoint = open_gguf(file, llama.opened().skeleton)
        model = llama.opened()
        audit = audit_weights(model, ModelFiles(checkpoint, model.skeleton), Silent())
        assert {change.dtype for change in audit.changes} == {"float16"}
        assert [
            each.name for each in weight_faults(audit, model, ModelFiles(checkpoint, model.skeleton))
        ] == faults
    wide = merge_of("llama", tmp_path / "wide", hidden_size=32)
    packed = write_gguf(tmp_path / "q.gguf", wide.base, packed=True)
    assert open_gguf(packed, wide.opened().skeleton).quantized == ("Q8_0",)


def test_a_base_model_of_another_name_is_refused(llama: Merge, tmp_path: Path) -> None:
    other = Path(shutil.copytree(llama.base, tmp_path / "other"))
    with pytest.raises(FlextuneError, match=r"was made for .*base, not for .*other: .*--force"):
        find_base(llama.adapter, str(other))
    assert find_base(llama.adapter, str(other), force=True).folder == other
    same = Path(shutil.copytree(llama.base, tmp_path / "elsewhere" / "base"))
    assert find_base(llama.adapter, str(same)).folder == same


def test_a_base_model_that_changed_since_the_training_is_refused(llama: Merge, tmp_path: Path) -> None:
    trained = tmp_path / "trained" / "key"
    adapter = Path(shutil.copytree(llama.adapter, trained / "adapter"))
    (trained / "key.json").write_text(json.dumps({"identity": model_identity(str(llama.base))}))
    assert find_base(adapter, None).folder == llama.base
    (trained / "key.json").write_text(json.dumps({"identity": "sha256:0"}))
    with pytest.raises(FlextuneError, match=r"is another model than the one that .* was trained on"):
        find_base(adapter, None)


def test_another_revision_is_refused(llama: Merge, tmp_path: Path) -> None:
    commit, other = "a" * 40, "b" * 40
    cached = tmp_path / "models--org--base" / "snapshots" / other
    shutil.copytree(llama.base, cached)
    adapter = Path(shutil.copytree(llama.adapter, tmp_path / "adapter"))
    file = adapter / "adapter_config.json"
    config = json.loads(file.read_text())
    file.write_text(json.dumps({**config, "base_model_name_or_path": "org/base", "revision": commit}))
    with pytest.raises(FlextuneError, match=f"was made for revision {commit} of org/base, not {other}"):
        find_base(adapter, str(cached))


@pytest.mark.parametrize(
    ("given", "asked"), [(None, "a" * 40), ("org/base", "a" * 40), ("mirror/base", None)]
)
def test_a_mirror_is_not_asked_for_a_commit_of_the_original(
    given: str | None, asked: str | None, llama: Merge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = Path(shutil.copytree(llama.adapter, tmp_path / "adapter"))
    file = adapter / "adapter_config.json"
    config = json.loads(file.read_text())
    file.write_text(json.dumps({**config, "base_model_name_or_path": "org/base", "revision": "a" * 40}))
    seen = []

    def files(name: str, revision: str | None) -> Path:
        seen.append((name, revision))
        return llama.base

    monkeypatch.setattr("flextune.runner.merging.base.model_files", files)
    find_base(adapter, given)
    assert seen == [(given or "org/base", asked)]


def test_a_base_model_of_other_shapes_is_refused(llama: Merge, tmp_path: Path) -> None:
    other = merge_of("llama", tmp_path, hidden_size=32)
    with pytest.raises(FlextuneError, match="adapter for another model"):
        ft.merge(llama.adapter, tmp_path / "merged", base=str(other.base), force=True)
    assert not (tmp_path / "merged").exists()


def test_targets_that_are_sources_are_refused(llama: Merge) -> None:
    for folder, what in ((llama.base, "the base model's folder"), (llama.adapter, "the adapter's folder")):
        with pytest.raises(FlextuneError, match=f"that is {what}"):
            ft.merge(llama.adapter, folder)
    with pytest.raises(FlextuneError, match="that is the base model itself"):
        ft.merge(llama.adapter, against=llama.base, prompts=None)


def test_a_disk_without_room_is_known_before(
    llama: Merge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(10, 9, 1))  # type: ignore[attr-defined]
    with pytest.raises(FlextuneError, match=r"takes .* GiB, and 0\.0 GiB are free"):
        ft.merge(llama.adapter, tmp_path / "merged")


def test_onto_the_other_weights_is_told(llama: Merge, prompts: Path, tmp_path: Path) -> None:
    """An adapter that was trained on four bits, merged onto the 16-bit weights, and the other way round."""
    wide = ft.merge(llama.adapter, tmp_path / "wide").folder
    result = ft.merge(
        llama.adapter, against=wide, onto="nf4", prompts=prompts, max_new_tokens=2, device="cpu"
    )
    assert [each.name for each in result.audit.faults] == ["dequantised-base"]
    assert "not to those through NF4" in result.audit.faults[0].words
    narrow = ft.merge(llama.adapter, tmp_path / "narrow", onto="nf4")
    assert narrow.audit.verdict == "equivalent"
    assert "quantised to NF4 and dequantised" in narrow.audit.onto
    result = ft.merge(llama.adapter, against=narrow.folder, prompts=prompts, max_new_tokens=2, device="cpu")
    assert [each.name for each in result.audit.faults] == ["dequantised-base"]
