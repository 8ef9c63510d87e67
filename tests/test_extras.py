"""What an experiment needs beyond the training extra is missed before anything is trained."""

from __future__ import annotations

import sys

import pytest

from flextune.config import optimizer
from flextune.errors import FlextuneError
from flextune.extras import need

LION = optimizer(name="lion")


def test_lion_without_its_package_fails_as_its_training_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytorch_optimizer", None)
    with pytest.raises(FlextuneError, match=r"pip install 'flextune\[optimizers\]'") as before:
        need("pytorch_optimizer", what="optimizer lion")
    with pytest.raises(FlextuneError) as later:
        LION.trainer_arguments(0.1)
    assert str(before.value) == str(later.value)


def test_a_package_that_is_there_is_found_and_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pytorch_optimizer", raising=False)
    need("pytorch_optimizer")
    assert "pytorch_optimizer" not in sys.modules


def test_a_missing_part_of_the_training_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(FlextuneError, match=r"peft is not installed: pip install 'flextune\[train\]'"):
        need("torch", "peft")
