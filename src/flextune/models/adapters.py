"""Adapters through PEFT: attach a new one, or load one and check that all of it found its place.

The caller's base model is never changed: an adapter goes into a view, a second tree of modules over
the same parameter tensors. Training, generation and the next arm can share one model in memory.
"""

from __future__ import annotations

import contextlib
import copy
import json
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_type_hints

from flextune.errors import FlextuneError, did_you_mean, one_line
from flextune.lora_methods import start_in_base
from flextune.models.adapter_folder import usable_adapter
from flextune.models.load import LoadedModel, model_skeleton
from flextune.models.quantization import kept_states, quantization_of
from flextune.models.resized_update import clip_update, scale_update
from flextune.models.saved_adapter import SavedAdapter, read_saved_adapter
from flextune.models.targets import ends_with, find_targets, short_names, short_parameters, taken_for_experts

if TYPE_CHECKING:
    from peft import PeftModel
    from torch import Tensor

    from flextune.config import AdapterConfig

#: What PEFT raises for a model or a setting that it cannot take.
PEFT_ERRORS = (ValueError, TypeError, KeyError, IndexError, AttributeError, RuntimeError)


def attach_adapter(loaded: LoadedModel, adapter: AdapterConfig, seed: int) -> PeftModel:
    """A trainable view of the model with a fresh LoRA adapter (arXiv:2106.09685).

    Args:
        loaded: The base model; it stays as it is.
        adapter: Rank, alpha, dropout, targets and layers.
        seed: Alone decides what A and B start with; the global generators are left untouched.

    Raises:
        FlextuneError: An unknown target module or layer, or what PEFT cannot adapt.
    """
    import torch
    from peft import get_peft_model

    config = _lora_config(loaded.model, adapter)
    _refuse_splitting_quantized(quantization_of(loaded.model), adapter)
    view = shared_view(loaded.model, own=_rewritten(loaded.model, config))
    try:
        with _quietly(view):
            torch.manual_seed(seed)
            # Of a model without weights, the adapter needs none either.
            empty = view.device.type == "meta"
            return get_peft_model(view, config, revision=loaded.commit, low_cpu_mem_usage=empty)
    except PEFT_ERRORS as error:
        raise FlextuneError(f"adapter: PEFT cannot adapt {loaded.name} so ({one_line(error)})") from error


def check_targets(model: Any, adapter: AdapterConfig, quantization: str | None = None) -> None:
    """Refuse what ``attach_adapter`` would refuse, without the model's weights.

    Args:
        model: Name or folder of a model, or its transformers configuration.
        adapter: As for ``attach_adapter``.
        quantization: Of its linear layers.

    Raises:
        FlextuneError: As ``attach_adapter``; or no such model.
    """
    _refuse_splitting_quantized(quantization, adapter)
    name = model if isinstance(model, str) else model.model_type
    # Without weights there is nothing to split.
    unsplit = adapter.model_copy(update={"init_lora_weights": True}) if adapter.splits_base else adapter
    attach_adapter(LoadedModel(model_skeleton(model), None, name, ""), unsplit, seed=0)


def load_adapter(
    loaded: LoadedModel, folder: Path | str, scale: float = 1.0, spectral_norm: float | None = None
) -> LoadedModel:
    """The model with the adapter of a PEFT folder beside its weights; the base model stays as it is.

    Args:
        loaded: The base model.
        folder: The adapter.
        scale: What its update is multiplied by: ``W + scale * alpha / rank * B @ A``.
        spectral_norm: Largest singular value that each module's update ``alpha / rank * B @ A`` keeps; larger
            ones are cut to it first. None: all are kept.

    Raises:
        FlextuneError: No adapter there, a damaged or incomplete one, one with NaN or infinity, an adapter for
            another model, a method of PEFT that is not supported, or one that a scale other than 1 or a
            spectral norm has no meaning for.
    """
    saved = read_saved_adapter(usable_adapter(folder))
    attached = attach_saved(loaded, saved)
    if spectral_norm is not None:
        clip_update(attached.model, saved, loaded.model, spectral_norm)
    if scale != 1:
        scale_update(attached.model, saved, loaded.model, scale)
    return attached


def attach_saved(loaded: LoadedModel, saved: SavedAdapter, *, split: bool = True) -> LoadedModel:
    """As ``load_adapter``, with an adapter whose tensors are in memory.

    Args:
        loaded: The base model.
        saved: The adapter.
        split: Split the base weights again where the adapter's start did (PiSSA, OLoRA).
    """
    view = shared_view(loaded.model, own=saved.changes_in(loaded.model, split=split))
    try:
        with _quietly(view):
            attached = _restore(view, saved, loaded, split)
    except PEFT_ERRORS as error:
        raise FlextuneError(f"{saved.path}: PEFT cannot load this adapter ({one_line(error)})") from error
    return replace(loaded, model=attached)


def check_saved(model: Any, folder: Path) -> None:
    """Refuse what ``load_adapter`` would refuse, as far as that is known without the model's weights.

    Args:
        model: Name or folder of a model, or its transformers configuration.
        folder: The adapter.

    Raises:
        FlextuneError: As ``load_adapter``; or no such model.
    """
    saved = read_saved_adapter(usable_adapter(folder))
    name = model if isinstance(model, str) else model.model_type
    loaded = LoadedModel(model_skeleton(model), None, name, "")
    # Without weights PEFT cannot make every kind of adapter; those are checked when they are loaded.
    with contextlib.suppress(*PEFT_ERRORS), _quietly(loaded.model):
        _restore(loaded.model, saved, loaded, split=False)


def trainable_parameters(model: Any) -> int:
    """Number of parameters that training changes."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def shared_view(model: Any, own: Iterable[Tensor] = ()) -> Any:
    """A second tree of modules over the same tensors.

    Args:
        model: Any module.
        own: Parameters that are copied instead of shared; tied ones stay tied.
    """
    copied = {id(tensor) for tensor in own}
    shared = [*model.parameters(), *model.buffers(), *kept_states(model)]
    return copy.deepcopy(model, {id(each): each for each in shared if id(each) not in copied})


def _lora_config(model: Any, adapter: AdapterConfig) -> Any:
    """PEFT's configuration for a model's targets.

    Raises:
        FlextuneError: An unknown target or layer, or dropout where PEFT has none.
    """
    from peft import LoraConfig
    from transformers.pytorch_utils import Conv1D

    targets = find_targets(model, adapter.targets, adapter.layers)
    lookalikes = set(taken_for_experts(model, targets.modules))
    modules = [name for name in targets.modules if name not in lookalikes]
    # PEFT would adapt a mixture's experts in place of these modules; named as parameters they are meant.
    parameters = [*(f"{name}.weight" for name in targets.modules if name in lookalikes), *targets.parameters]
    if parameters and adapter.dropout:
        raise FlextuneError(
            f"adapter.dropout {adapter.dropout:g}: PEFT has no dropout for a mixture's experts"
            f" ({parameters[-1]}); set adapter.dropout: 0, or leave them out of adapter.targets"
        )
    options = _checked_options(LoraConfig, adapter)
    try:
        return LoraConfig(
            task_type="CAUSAL_LM",
            r=adapter.rank,
            # PEFT says int and takes any number.
            lora_alpha=cast(int, adapter.alpha),
            lora_dropout=adapter.dropout,
            use_rslora=adapter.use_rslora,
            use_dora=adapter.use_dora,
            init_lora_weights=cast(Any, adapter.init_lora_weights),
            target_modules=short_names(model, modules),
            target_parameters=short_parameters(model, parameters) or None,
            fan_in_fan_out=bool(modules) and isinstance(model.get_submodule(modules[0]), Conv1D),
            **options,
        )
    except PEFT_ERRORS as error:
        raise FlextuneError(f"adapter: PEFT does not take these options ({one_line(error)})") from error


def _checked_options(config: type[Any], adapter: AdapterConfig) -> dict[str, Any]:
    """PEFT's other options, each as the type that PEFT declares.

    Raises:
        FlextuneError: There is no such option, or its value is of another type.
    """
    from pydantic import TypeAdapter, ValidationError

    hints = get_type_hints(config)
    found = {}
    for key, value in adapter.options.items():
        if key not in hints:
            raise FlextuneError(
                f"adapter.{key}: PEFT's LoraConfig has no such option{did_you_mean(key, hints)}"
            )
        try:
            found[key] = TypeAdapter(hints[key]).validate_python(value)
        except ValidationError as error:
            message = error.errors()[0]["msg"]
            raise FlextuneError(f"adapter.{key}: {message} (given: {json.dumps(value)})") from None
    return found


def _refuse_splitting_quantized(kind: str | None, adapter: AdapterConfig) -> None:
    """A start out of the base weights leaves a rest there, which four or eight bits would change."""
    if adapter.splits_base and kind is not None:
        raise FlextuneError(
            f"adapter.init_lora_weights {adapter.init_lora_weights} takes the start out of the base weights,"
            f" which are in {kind}: leave quantization out, or start otherwise"
        )


def _rewritten(model: Any, config: Any) -> list[Tensor]:
    """The base model's parameters that a fresh adapter changes, at its start or by training them."""
    found = []
    if start_in_base(config) is not None:
        targets = config.target_modules
        names = [name for name, _ in model.named_modules() if any(ends_with(name, end) for end in targets)]
        found += [model.get_submodule(name).weight for name in names]
    if config.bias != "none":
        found += [weight for name, weight in model.named_parameters() if name.endswith("bias")]
    return found


def _restore(view: Any, saved: SavedAdapter, loaded: LoadedModel, split: bool) -> PeftModel:
    """What ``PeftModel.from_pretrained`` does, which only warns of tensors without a place."""
    from peft import MODEL_TYPE_TO_PEFT_MODEL_MAPPING, PeftConfig, PeftModel

    config = PeftConfig.from_pretrained(str(saved.path))
    config.inference_mode = True
    if not split and isinstance(getattr(config, "init_lora_weights", None), str):
        config.init_lora_weights = True
    kind = MODEL_TYPE_TO_PEFT_MODEL_MAPPING.get(config.task_type, PeftModel)
    try:
        attached = kind(view, config)
    except ValueError as error:
        if "not found in the base model" in str(error):
            saved.refuse_if_nothing_fits(loaded)
        raise
    try:
        result = attached.load_adapter(str(saved.path), "default", torch_device="cpu")
    except RuntimeError as error:
        saved.refuse_other_shapes(error, loaded)
        raise
    except KeyError as error:
        raise FlextuneError(
            f"{saved.path}: the adapter's weights are incomplete: no {error.args[0]}"
        ) from None
    saved.refuse_strangers(result.unexpected_keys, loaded)
    saved.refuse_gaps(result.missing_keys)
    return attached.eval()


@contextlib.contextmanager
def _quietly(model: Any) -> Iterator[None]:
    """PEFT draws weights from the global generators, even those it overwrites, and warns of what is fine."""
    import torch

    devices = {parameter.device for parameter in model.parameters() if parameter.device.type == "cuda"}
    with torch.random.fork_rng(devices=list(devices)), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
