from __future__ import annotations

import json
from pathlib import Path

import pytest

from flextune.cli.requests import split_model
from flextune.errors import FlextuneError
from flextune.files.names import slug


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def adapter(folder: Path, **settings: object) -> Path:
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", **settings}))
    (folder / "adapter_model.safetensors").touch()
    return folder


def test_the_home_is_expanded_on_both_sides_of_the_plus(home: Path) -> None:
    folder = adapter(home / "adapter")
    assert split_model("~/model+~/adapter") == ("~/model", folder)
    (home / "c++").mkdir()
    assert split_model("~/c++") == ("~/c++", None)
    assert slug("~/c++") == "c"


def test_an_adapter_is_refused_before_its_model_is_loaded(tmp_path: Path) -> None:
    prefix = adapter(tmp_path / "prefix", peft_type="PREFIX_TUNING")
    with pytest.raises(FlextuneError, match="peft_type PREFIX_TUNING is not supported"):
        split_model(f"m+{prefix}")
    adapter(tmp_path / "named" / "policy")
    with pytest.raises(FlextuneError, match=r"but it holds .*/named/policy: give that folder"):
        split_model(f"m+{tmp_path}/named")
