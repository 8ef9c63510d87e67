"""A model's parameters in its weight files, by the names that transformers gives both.

A file may call a tensor differently, and keep apart what the model holds as one parameter (the weights of a
mixture's experts). The rules of both are transformers' own.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flextune.errors import FlextuneError
from flextune.models.merging.checkpoint import Checkpoint

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass
class Group:
    """Tensors of files that are read and written together.

    Attributes:
        files: Names in the files and the pattern of the conversion that each met (None: none).
        parameters: Names in the model.
        converter: From the first to the second; None where the one tensor is the one parameter.
    """

    files: dict[str, str | None] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()
    converter: Any = None


class ModelFiles:
    """A model's parameters, read from its files.

    Args:
        checkpoint: The files.
        skeleton: The model without weights (``load.model_skeleton``).

    Raises:
        FlextuneError: The files lack a parameter.
    """

    def __init__(self, checkpoint: Checkpoint, skeleton: Any) -> None:
        self.checkpoint = checkpoint
        self._skeleton = skeleton
        self._shapes = {name: tuple(each.shape) for name, each in skeleton.state_dict().items()}
        self._groups = _groups(checkpoint, skeleton)
        self.group_of = {name: group for group in self._groups for name in group.parameters}
        self._alias = _tied(skeleton)

    @property
    def names(self) -> tuple[str, ...]:
        """The model's parameters that are in the files, a tied one once."""
        return tuple(name for name in self._shapes if name in self.group_of)

    @property
    def tied(self) -> Mapping[str, str]:
        """Parameters that are another one's tensor in the model, to that one."""
        return self._alias

    def source(self, name: str) -> str:
        """The parameter that holds a parameter's values in the files: itself, or one that it is tied to."""
        owner = self._alias.get(name, name)
        family = (name, owner, *(other for other, first in self._alias.items() if first == owner))
        return next((each for each in family if each in self.group_of), name)

    def has(self, name: str) -> bool:
        """Whether the files hold a parameter's values."""
        return self.source(name) in self.group_of

    def read(self, name: str) -> Tensor:
        """A parameter as the files have it, in their type.

        Raises:
            FlextuneError: They lack it, or it has another shape than the model's.
        """
        found = self.group_of.get(self.source(name))
        if found is None:
            raise FlextuneError(
                f"{self.checkpoint.folder}: the weight files lack {name}; fetch the model again"
            )
        tensors = {file: self.checkpoint.read(file) for file in found.files}
        value = self._converted(found, tensors)[self.source(name)]
        if tuple(value.shape) != self._shapes.get(name, tuple(value.shape)):
            shape, needed = tuple(value.shape), self._shapes[name]
            raise FlextuneError(
                f"{self.checkpoint.folder}: {name} has shape {shape}, the model needs {needed}"
            )
        return value

    def dtype(self, name: str) -> torch.dtype:
        """The type that a parameter has in the files."""
        return self.checkpoint.places[next(iter(self.group_of[self.source(name)].files))].dtype

    def to_files(self, group: Group, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """A group's parameters as its files keep them.

        Raises:
            FlextuneError: The conversion has no way back.
        """
        if group.converter is None:
            return {next(iter(group.files)): values[group.parameters[0]]}
        result: dict[str, Tensor] = {}
        for name, value in _reverted(self._skeleton, values).items():
            result |= {file: value for file in group.files if _same(file, name)}
        if set(result) != set(group.files):
            raise self._no_way_back(group)
        return result

    def _no_way_back(self, group: Group) -> FlextuneError:
        return FlextuneError(
            f"{self.checkpoint.folder}: {group.parameters[0]} is kept in the files in a form that"
            " transformers cannot write back; load the model, save it, and merge into that folder"
        )

    def _converted(self, group: Group, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        if group.converter is None:
            return {group.parameters[0]: next(iter(tensors.values()))}
        return _convert(group, tensors, self._skeleton)


def _groups(checkpoint: Checkpoint, skeleton: Any) -> list[Group]:
    from transformers.conversion_mapping import get_model_conversion_mapping
    from transformers.core_model_loading import (
        WeightConverter,
        WeightRenaming,
        dot_natural_key,
        rename_source_key,
    )

    transforms = get_model_conversion_mapping(skeleton)
    renamings = [each for each in transforms if isinstance(each, WeightRenaming)]
    converters = [each for each in transforms if isinstance(each, WeightConverter)]
    by_pattern = {pattern: each for each in converters for pattern in each.source_patterns}
    known = skeleton.state_dict()
    groups: dict[str, Group] = {}
    # In natural order: the eleventh expert comes after the tenth, not after the first.
    for name in sorted(checkpoint.places, key=dot_natural_key):
        parameter, pattern = rename_source_key(name, renamings, converters, skeleton.base_model_prefix, known)
        # A name that is the model's own as it stands has nothing to be converted.
        if name in known:
            parameter, pattern = name, None
        group = groups.setdefault(parameter, Group(parameters=(parameter,)))
        group.files[name] = pattern
        if pattern is not None:
            group.converter = by_pattern[pattern]
    skeleton._weight_conversions = [each for each in transforms if each.was_used()]
    for group in groups.values():
        if group.converter is not None:
            group.parameters = _targets(group, checkpoint, skeleton)
    return list(groups.values())


def _targets(group: Group, checkpoint: Checkpoint, skeleton: Any) -> tuple[str, ...]:
    """What a conversion makes, found with tensors that have a shape and no values."""
    import torch

    places = checkpoint.places
    shapes = {name: torch.empty(places[name].shape, device="meta") for name in group.files}
    return tuple(_convert(group, shapes, skeleton))


def _convert(group: Group, tensors: Mapping[str, Tensor], skeleton: Any) -> dict[str, Tensor]:
    converter = copy.deepcopy(group.converter)
    first = group.parameters[0]
    for name, pattern in group.files.items():
        converter.add_tensor(first, name, pattern, tensors[name])
    made = converter.convert(first, model=skeleton, config=skeleton.config)
    return {name: value[0] if isinstance(value, list) else value for name, value in made.items()}


def _reverted(skeleton: Any, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    from transformers.core_model_loading import revert_weight_conversion

    return dict(revert_weight_conversion(skeleton, dict(values)))


def _same(file: str, name: str) -> bool:
    """Whether two names mean one tensor: files may leave the base model's prefix out, or add it."""
    return file == name or file.endswith(f".{name}") or name.endswith(f".{file}")


def _tied(skeleton: Any) -> dict[str, str]:
    """Parameters that share a tensor with one that comes before them, to that one."""
    first: dict[int, str] = {}
    alias = {}
    for name, parameter in skeleton.named_parameters(remove_duplicate=False):
        owner = first.setdefault(id(parameter), name)
        if owner != name:
            alias[name] = owner
    return alias
