"""A base model's files and an adapter's: what the two are together, one parameter at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from flextune.errors import FlextuneError
from flextune.files.objects import read_object
from flextune.lora_names import PREFIX, without_wrappers
from flextune.models.adapter_folder import AdapterFolder, usable_adapter
from flextune.models.adapters import attach_saved
from flextune.models.four_bit import through_four_bits
from flextune.models.load import LoadedModel, model_skeleton
from flextune.models.merging.checkpoint import open_checkpoint
from flextune.models.merging.layers import AdaptedLayer, adapted_layers, saved_parameters, split_of
from flextune.models.merging.parameters import ModelFiles
from flextune.models.saved_adapter import read_saved_adapter

if TYPE_CHECKING:
    import torch
    from torch import Tensor

#: What an update is added to: the base model's weights as they are, or as they were in four bits.
Onto = Literal["weights", "nf4", "fp4"]


@dataclass(frozen=True, eq=False)
class AdaptedFiles:
    """Base model and adapter as files, with no weight in memory.

    Attributes:
        name: What the user called the base model.
        files: The base model's.
        adapter: The adapter's folder.
        layers: Where the adapter changes base weights.
        saved: Whole parameters that it brings.
        replaced: Base weights of adapted layers that its file holds, which count in place of the base
            model's.
        onto: What the update is added to.
        skeleton: The base model without weights.
    """

    name: str
    files: ModelFiles
    adapter: AdapterFolder
    layers: dict[str, AdaptedLayer]
    saved: dict[str, Tensor]
    replaced: dict[str, Tensor]
    onto: Onto
    skeleton: Any
    _last: dict[tuple[str, torch.dtype], dict[str, Tensor]] = field(default_factory=dict)

    @property
    def changed(self) -> list[str]:
        """The parameters that the adapter changes, in the model's order."""
        return [name for name in self.skeleton.state_dict() if self.changes(name)]

    def changes(self, name: str) -> bool:
        """Whether the adapter changes a parameter."""
        return name in self.layers or name in self.saved

    def is_as_in_files(self, name: str) -> bool:
        """Whether a parameter stays as the files have it, bit by bit."""
        return not self.changes(name) and not (self.onto != "weights" and self.is_quantized(name))

    def base(self, name: str) -> Tensor:
        """A parameter of the base model that the update is added to."""
        weight = self.files.read(name)
        if self.onto == "weights" or not self.is_quantized(name):
            return weight
        # bitsandbytes keeps a Conv1D's weight the other way round.
        turned = weight.T if _is_conv1d(self._module(name)) else weight
        value = through_four_bits(turned, self.onto)
        return value.T.contiguous() if turned is not weight else value

    def merged(self, name: str, dtype: torch.dtype) -> Tensor:
        """A parameter with the adapter in it.

        Args:
            name: The parameter.
            dtype: In which it is computed: float32 or float64.

        Raises:
            FlextuneError: As ``AdaptedLayer.merged``; or the files lack it.
        """
        if name in self.saved:
            return self.saved[name].to(dtype)
        layer = self.layers.get(name)
        if layer is None:
            return self.base(name).to(dtype)
        key = (layer.name, dtype)
        # A bias is asked for after its weight: the layer is not merged again for it.
        if key not in self._last or name not in self._last[key]:
            values = {
                full: self.replaced[full] if full in self.replaced else self.base(full)
                for full in layer.parameters.values()
            }
            self._last.clear()
            try:
                self._last[key] = layer.merged(values, dtype)
            except FlextuneError as error:
                raise FlextuneError(f"{self.adapter.path}: {error}") from error
        return self._last[key][name]

    def is_quantized(self, name: str) -> bool:
        """Whether a model that is loaded in four bits has the parameter so: weights of linear modules."""
        import torch
        from transformers.pytorch_utils import Conv1D

        module = self._module(name)
        return (
            name.endswith(".weight")
            and isinstance(module, (torch.nn.Linear, Conv1D))
            and module is not self.skeleton.get_output_embeddings()
        )

    def _module(self, name: str) -> Any:
        return self.skeleton.get_submodule(name.rpartition(".")[0])


def open_adapted(name: str, base: Path, adapter: Path | str, onto: Onto = "weights") -> AdaptedFiles:
    """A base model's folder and an adapter's.

    Args:
        name: What the base model is called in errors.
        base: Its folder.
        adapter: The adapter's.
        onto: What the update is added to. A base model whose files are in four bits is dequantised anyway.

    Raises:
        FlextuneError: Missing or damaged files, an adapter for another model, or one that cannot be merged.
    """
    _refuse_other_quantization(base)
    skeleton = weightless(model_skeleton(str(base)))
    saved = read_saved_adapter(usable_adapter(adapter))
    split = split_of(saved.folder.config)
    attached = attach_saved(LoadedModel(skeleton, None, name, ""), saved, split=False).model
    written = {id(tensor) for tensor in saved.changes_in(skeleton, split=False)}
    layers = adapted_layers(attached, split)
    after = _base_parameters(attached)
    names = [full for full, tensor in skeleton.named_parameters() if id(tensor) in written]
    replaced = {full: after[full] for full in names if full in after}
    by_name = {full: layer for layer in layers for full in layer.parameters.values()}
    whole = {full: tensor for full, tensor in replaced.items() if full not in by_name}
    files = ModelFiles(open_checkpoint(base), skeleton)
    return AdaptedFiles(
        name=name,
        files=files,
        adapter=saved.folder,
        layers=by_name,
        saved={**whole, **saved_parameters(attached)},
        replaced=replaced,
        onto=onto,
        skeleton=skeleton,
    )


def _refuse_other_quantization(base: Path) -> None:
    """Of files with quantised weights, those in four bits of bitsandbytes can be read.

    Raises:
        FlextuneError: They are quantised in another way, by its name.
    """
    config = read_object(base / "config.json").get("quantization_config")
    if not isinstance(config, dict):
        return
    method = str(config.get("quant_method", "bitsandbytes"))
    if method != "bitsandbytes" or config.get("load_in_8bit"):
        kind = "8-bit bitsandbytes" if method == "bitsandbytes" else method
        raise FlextuneError(
            f"{base}: its weights are quantised ({kind}), which cannot be merged into; give the 16-bit base"
            " model with --base"
        )


def weightless(skeleton: Any) -> Any:
    """A model of zeros that take no memory: every parameter is one number, seen as often as its shape needs.

    PEFT can attach an adapter to it as to any model in memory, which it cannot on the meta device: there,
    some methods cannot be built, and loaded adapters lose their values.
    """
    import torch

    views: dict[int, Any] = {}

    def view(tensor: Tensor) -> Tensor:
        return torch.zeros((), dtype=tensor.dtype).expand(tensor.shape)

    for module in skeleton.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            if id(parameter) not in views:
                views[id(parameter)] = torch.nn.Parameter(view(parameter), requires_grad=False)
            module._parameters[name] = views[id(parameter)]
        for name, buffer in list(module.named_buffers(recurse=False)):
            module._buffers[name] = view(buffer)
    return skeleton.eval()


def _base_parameters(attached: Any) -> dict[str, Tensor]:
    """The base model's parameters in an attached model, by their names in the base model."""
    found = {}
    for path, parameter in attached.named_parameters():
        module, _, short = path.removeprefix(PREFIX).rpartition(".")
        found[f"{without_wrappers(module)}.{short}"] = parameter.data
    return found


def _is_conv1d(module: Any) -> bool:
    from transformers.pytorch_utils import Conv1D

    return isinstance(module, Conv1D)
