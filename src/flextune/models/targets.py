"""Which parts of a model get an adapter: named sets, module names, layer ranges."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flextune.errors import FlextuneError, did_you_mean
from flextune.lora_names import layer_of
from flextune.models.families import EXPERT_NAMES, SETS, linear_names

#: PEFT's name for every linear module but the output head; a mixture's stacked experts are none.
ALL_LINEAR = "all-linear"


@dataclass(frozen=True)
class Targets:
    """What an adapter of a model changes, by full names in the model's order.

    Attributes:
        modules: Linear modules.
        parameters: Stacked weights of a mixture's experts, shape ``(experts, ..., ...)``.
    """

    modules: tuple[str, ...]
    parameters: tuple[str, ...]


def find_targets(
    model: Any, targets: str | Sequence[str], layers: str | Sequence[int] | None = None
) -> Targets:
    """The linear modules and expert weights that get an adapter.

    Args:
        model: A Hugging Face causal language model; the meta device will do.
        targets: A set (``attention``, ``standard``, ``mlp``, ``all``, ``all-linear``) or names of modules; a
            name matches the end of a full name at a dot. It means the experts' weights of that name too:
            ``gate_proj`` and ``up_proj`` together mean the ``gate_up_proj`` that holds both.
        layers: ``"0-15"``, ``"4-"``, ``"2"``, ``"0-3,8-"`` or numbers; None takes all.

    Raises:
        FlextuneError: A name or layer that this model does not have.
    """
    linear, experts = linear_modules(model), expert_parameters(model)
    if isinstance(targets, str):
        selection = _of_set(model, targets, linear, experts)
    else:
        selection = _of_names(list(targets), linear, experts)
    numbers = _layer_numbers(layers, _layer_count([*linear, *experts]))
    modules, parameters = (
        tuple(name for name in names if name in selection and (numbers is None or layer_of(name) in numbers))
        for names in (linear, experts)
    )
    if not modules and not parameters:
        raise FlextuneError(f"targets {targets!r} in layers {layers!r} match no module of this model")
    return Targets(modules, parameters)


def short_names(model: Any, modules: Sequence[str]) -> list[str]:
    """The modules' last names where those mean exactly these modules, else the full names.

    An adapter's config then reads ``["down_proj", "gate_proj", "up_proj"]`` instead of a name per layer.
    """
    last = _last_names(modules)
    meant = [name for name, _ in model.named_modules() if any(ends_with(name, short) for short in last)]
    return last if meant == list(modules) else list(modules)


def short_parameters(model: Any, parameters: Sequence[str]) -> list[str]:
    """The parameters' last two names where those mean exactly these parameters, else the full names."""
    last = sorted({".".join(name.split(".")[-2:]) for name in parameters})
    meant = {name for name, _ in model.named_parameters() if any(ends_with(name, short) for short in last)}
    return last if meant == set(parameters) else list(parameters)


def linear_modules(model: Any) -> list[str]:
    """Full names of the modules that LoRA can adapt, except the output head."""
    import torch
    from transformers.pytorch_utils import Conv1D

    head = model.get_output_embeddings()
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, (torch.nn.Linear, Conv1D)) and module is not head
    ]


def expert_parameters(model: Any) -> list[str]:
    """Full names of the stacked weights of a mixture's experts, which have no module for each expert."""
    return [
        f"{path}.{name}"
        for path, module in model.named_modules()
        for name, parameter in module.named_parameters(recurse=False)
        if parameter.ndim == 3 and ("experts" in path.split(".")[-1] or "Experts" in type(module).__name__)
    ]


def taken_for_experts(model: Any, modules: Iterable[str]) -> list[str]:
    """The modules whose names PEFT takes for a mixture's experts.

    transformers 4 had a ``gate_proj`` for each expert. So that adapters of that time still load, PEFT reads
    the name as the experts' ``gate_up_proj`` in such a model, and leaves out dense layers and shared experts.
    """
    from peft import LoraConfig

    try:
        from peft.utils.transformers_weight_conversion import convert_peft_config_for_transformers
    except ImportError:  # before PEFT did that
        return []

    def is_taken(last: str) -> bool:
        config = LoraConfig(target_modules=[last])
        try:
            convert_peft_config_for_transformers(config, model=model, conversions=None)
        except ValueError:  # half of a pair that was fused
            return True
        return last not in (config.target_modules or ())

    modules = list(modules)
    names = {last for last in _last_names(modules) if is_taken(last)}
    return [name for name in modules if name.rpartition(".")[2] in names]


def _of_set(model: Any, targets: str, linear: list[str], experts: list[str]) -> set[str]:
    """Full names of a set's modules and parameters."""
    if targets == ALL_LINEAR:
        return set(linear)
    if targets not in SETS:
        raise FlextuneError(
            f"targets {targets!r} is no set (known: {', '.join((*SETS, ALL_LINEAR))});"
            " give module names as a list"
        )
    kind = model.config.model_type
    selection: set[str] = set()
    for role in SETS[targets]:
        names = linear_names(kind, role)
        members = {module for module in linear if any(ends_with(module, name) for name in names)}
        members |= {each for each in experts if any(_is_expert(each, n) for n in EXPERT_NAMES.get(role, ()))}
        if names and not members:
            raise FlextuneError(
                f"targets {targets!r} is not known for a {kind} model (no {names[0]}); "
                f"give module names as a list, from: {_choices(linear, experts)}"
            )
        selection |= members
    return selection


def _of_names(names: list[str], linear: list[str], experts: list[str]) -> set[str]:
    """Full names of the modules and parameters that a list of names means."""
    selection: set[str] = set()
    for name in names:
        members = {module for module in [*linear, *experts] if _is_target(module, name)}
        if not members and not any(_halves(each, [name]) for each in experts):
            raise FlextuneError(_unknown_module(name, linear, experts))
        selection |= members
    for each in experts:
        halves = _halves(each, names)
        if len(halves) == 1 and each not in selection:
            other = "up_proj" if halves == {"gate_proj"} else "gate_proj"
            raise FlextuneError(
                f"targets {names!r}: {each} holds {halves.pop()} and {other} of all experts; name both, or"
                " the path of the linear modules that you mean (shared_expert.gate_proj for example)"
            )
        if len(halves) == 2:
            selection.add(each)
    return selection


def _halves(parameter: str, names: Iterable[str]) -> set[str]:
    """Which of ``gate_proj`` and ``up_proj`` are named, for experts that hold both as one parameter."""
    path, _, last = parameter.rpartition(".")
    if last != "gate_up_proj":
        return set()
    return {
        half for half in ("gate_proj", "up_proj") if any(ends_with(f"{path}.{half}", name) for name in names)
    }


def _is_target(full: str, name: str) -> bool:
    return ends_with(full, name) or _is_expert(full, name)


def _is_expert(parameter: str, name: str) -> bool:
    """Whether a name means a parameter; ``input_linear.weight`` goes by its module's name too."""
    return ends_with(parameter, name) or ends_with(parameter.removesuffix(".weight"), name)


def _unknown_module(name: str, linear: list[str], experts: list[str]) -> str:
    hint = did_you_mean(name, _last_names([*linear, *experts]))
    return f"target module {name!r} is not in this model{hint} (linear modules: {_choices(linear, experts)})"


def _choices(linear: list[str], experts: list[str]) -> str:
    """Names that a list of targets can hold."""
    modules = ", ".join(_last_names(linear))
    return f"{modules}; experts: {', '.join(_last_names(experts))}" if experts else modules


def _last_names(modules: Iterable[str]) -> list[str]:
    return sorted({module.removesuffix(".weight").rsplit(".", 1)[-1] for module in modules})


def ends_with(module: str, name: str) -> bool:
    """Whether a full name is a module's, or ends with its name at a dot."""
    return module == name or module.endswith(f".{name}")


def _layer_count(names: list[str]) -> int:
    return 1 + max((number for number in map(layer_of, names) if number is not None), default=-1)


def _layer_numbers(layers: str | Sequence[int] | None, count: int) -> set[int] | None:
    if layers is None:
        return None
    if isinstance(layers, str):
        numbers = {number for part in layers.split(",") for number in _range(part.strip(), layers, count)}
    else:
        numbers = set(layers)
    outside = sorted(number for number in numbers if not 0 <= number < count)
    if outside:
        raise FlextuneError(f"layers {layers!r}: this model has layers 0-{count - 1}, not {outside[0]}")
    if not numbers:
        raise FlextuneError(f"layers {layers!r} names no layer (this model has 0-{count - 1})")
    return numbers


def _range(part: str, layers: str, count: int) -> range:
    match = re.fullmatch(r"(\d+)(?:(-)(\d*))?", part)
    if match is None:
        raise FlextuneError(f'layers {layers!r} is no range; write for example "0-15", "4-" or "2"')
    first = int(match[1])
    if match[2] is None:
        return range(first, first + 1)
    last = int(match[3]) if match[3] else max(first, count - 1)
    return range(first, last + 1)
