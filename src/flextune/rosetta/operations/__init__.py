"""Every operation by name."""

from __future__ import annotations

from flextune.rosetta.operations import folds, integers, lists, maps, texts, words
from flextune.rosetta.operations.base import KINDS, Kind, Operation, Undefined

OPERATIONS: dict[str, Operation] = {
    operation.name: operation
    for module in (integers, lists, folds, texts, words, maps)
    for operation in module.OPERATIONS
}

__all__ = ["KINDS", "OPERATIONS", "Kind", "Operation", "Undefined"]
