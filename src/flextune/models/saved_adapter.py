"""A saved adapter beside the model that it is to be loaded into: what it changes, and what does not fit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flextune.errors import FlextuneError
from flextune.lora_names import PREFIX, adapted_module, parse_lora_name
from flextune.models.adapter_folder import AdapterFolder
from flextune.models.load import LoadedModel

if TYPE_CHECKING:
    from torch import Tensor

_SHAPES = re.compile(
    r"size mismatch for (\S+): copying a param with shape torch\.Size\(\[([\d, ]*)\]\) from checkpoint,"
    r" the shape in current model is torch\.Size\(\[([\d, ]*)\]\)"
)


@dataclass(frozen=True, eq=False)
class SavedAdapter:
    """An adapter folder's tensors, all of them finite.

    Attributes:
        folder: The folder that they are from.
        tensors: PEFT's names to tensors, on the CPU.
    """

    folder: AdapterFolder
    tensors: Mapping[str, Tensor]

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.folder.path

    def changes_in(self, model: Any, *, split: bool = True) -> list[Tensor]:
        """The base model's parameters that loading the adapter writes to.

        Those are weights of the base model in the adapter's file (an adapted embedding, trained biases), and
        all adapted ones where the adapter starts from another split of the weights (PiSSA, OLoRA), if they
        are to be split.
        """
        modules = dict(model.named_modules())
        parameters = []
        for name in self.tensors:
            module, parameter = adapted_module(name), name.rpartition(".")[2]
            own = _parameters(modules.get(module))
            if parse_lora_name(name) is None and parameter in own and not self._replaces(name):
                parameters.append(own[parameter])
        if split and isinstance(self.folder.config.get("init_lora_weights"), str):
            for module in {adapted_module(name) for name in self.tensors}:
                parameters += _parameters(modules.get(module)).values()
        return parameters

    def is_scalable(self, name: str, model: Any) -> bool:
        """Whether a tensor is a factor of an update, or is no more than the base model's own."""
        import torch

        parsed = parse_lora_name(name)
        if parsed is not None:
            return parsed.kind in ("matrix", "embedding")
        modules = dict(model.named_modules())
        own = _parameters(modules.get(adapted_module(name))).get(name.rpartition(".")[2])
        saved = self.tensors[name]
        return own is not None and own.shape == saved.shape and torch.equal(own.cpu(), saved.to(own.dtype))

    def refuse_if_nothing_fits(self, loaded: LoadedModel) -> None:
        """Name the first module that the model does not have."""
        modules = {name for name, _ in loaded.model.named_modules()}
        for module in map(adapted_module, self.tensors):
            if module not in modules:
                raise self._for_another_model(f"{loaded.name} has no {module}")

    def refuse_strangers(self, names: Sequence[str], loaded: LoadedModel) -> None:
        """Refuse tensors that have no place in the model."""
        if names:
            raise self._for_another_model(f"{loaded.name} has no {adapted_module(names[0])}")

    def refuse_gaps(self, names: Sequence[str]) -> None:
        """Refuse places in the model that have no tensor in the file."""
        if not names:
            return
        module = adapted_module(names[0])
        part = names[0].removeprefix(PREFIX).removeprefix(f"{module}.")
        part = part.removesuffix(".weight").removesuffix(".default")
        modules = len({adapted_module(name) for name in names})
        raise FlextuneError(
            f"{self.path}: the adapter's weights are incomplete: {module} has no {part}"
            f" (missing in all: {len(names)}, in {modules} of the adapted modules){self._made_for()}"
        )

    def refuse_other_shapes(self, error: RuntimeError, loaded: LoadedModel) -> None:
        """Name the first tensor that torch found to have another shape than the model's."""
        match = _SHAPES.search(str(error))
        if match is None:
            return
        name, saved, needed = match[1], _shape(match[2]), _shape(match[3])
        module = adapted_module(name)
        parsed = parse_lora_name(name)
        if module in _vocabulary_modules(loaded.model):
            axis = -1 if parsed and parsed.kind == "embedding" and parsed.factor == "A" else 0
            if saved[axis] != needed[axis]:
                raise FlextuneError(
                    f"{self.path}: its {module} has {saved[axis]} rows, that of {loaded.name} has"
                    f" {needed[axis]} (one per token): the vocabulary was resized for its training; resize"
                    f" the model's embeddings to {saved[axis]}, save it with the adapter's tokenizer, and"
                    " give that folder as the model"
                )
        what = f"lora_{parsed.factor}" if parsed and parsed.factor else name.rpartition(".")[2]
        raise self._for_another_model(f"{module} {what} has shape {saved}, {loaded.name} needs {needed}")

    def _replaces(self, name: str) -> bool:
        """Whether a tensor is of a module that PEFT copies for the adapter (``modules_to_save``)."""
        copies = self.folder.config.get("modules_to_save") or ()
        module = name.removeprefix(PREFIX).rpartition(".")[0]
        return any(f".{module}".endswith(f".{each}") for each in copies)

    def _for_another_model(self, difference: str) -> FlextuneError:
        return FlextuneError(f"{self.path}: adapter for another model{self._made_for()}: {difference}")

    def _made_for(self) -> str:
        name = self.folder.base_model
        return f" (made for {name})" if name else ""


def read_saved_adapter(folder: AdapterFolder) -> SavedAdapter:
    """Read all of an adapter's tensors.

    Raises:
        FlextuneError: A damaged file, no tensor, or one that holds NaN or infinity, by its name.
    """
    import torch

    tensors = {name: tensor for name, tensor in folder.tensors().items() if tensor is not None}
    if not tensors:
        raise FlextuneError(f"{folder.path}: the adapter holds no tensor")
    for name, tensor in tensors.items():
        # Not every operation knows floats of 8 bits.
        if tensor.is_floating_point() and not torch.isfinite(tensor.float()).all():
            raise FlextuneError(
                f"{folder.path}: {name} holds NaN or infinity: its training diverged, or the file is damaged"
            )
    return SavedAdapter(folder, tensors)


def _parameters(module: Any) -> dict[str, Tensor]:
    """A module's own parameters; none for None."""
    return {} if module is None else dict(module.named_parameters(recurse=False))


def _shape(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(",") if number.strip())


def _vocabulary_modules(model: Any) -> set[str]:
    """Names of the modules with a row per token."""
    ends = (model.get_input_embeddings(), model.get_output_embeddings())
    return {name for name, module in model.named_modules() if any(module is end for end in ends)}
