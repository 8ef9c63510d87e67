"""A mapping checked against a section, with errors that name the key and the right or nearest one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from flextune.config.names import A_NAME
from flextune.config.section import Section
from flextune.errors import FlextuneError, did_you_mean

SectionT = TypeVar("SectionT", bound=Section)

#: What a key was called before, or is called in transformers, PEFT, TRL, vLLM or EvalPlus, to its name here.
OTHER_NAMES = {
    "accumulation": "gradient_accumulation_steps",
    "autocast": "mixed_precision",
    "beams": "num_beams",
    "bf16": "mixed_precision",
    "bs": "batch_size",
    "clip": "max_grad_norm",
    "count": "cutoff_of",
    "export": "generate.export",
    "gradient_clipping": "max_grad_norm",
    "layers_to_transform": "layers",
    "length": "cutoff_of",
    "log_every": "logging_steps",
    "lora_alpha": "alpha",
    "lora_dropout": "dropout",
    "lora_r": "rank",
    "lr": "learning_rate",
    "lr_scheduler": "lr_scheduler_type",
    "max_input_length": "max_length",
    "max_seq_length": "max_length",
    "max_tokens": "max_new_tokens",
    "memory_mb": "memory_mib",
    "model_name_or_path": "model",
    "n_samples": "n",
    "num_epochs": "epochs",
    "num_return_sequences": "n",
    "num_train_epochs": "epochs",
    "per_device_train_batch_size": "batch_size",
    "r": "rank",
    "samples": "n",
    "scale": "generate.scale",
    "schedule": "lr_scheduler_type",
    "scheduler": "lr_scheduler_type",
    "sides": "onesided",
    "target_modules": "targets",
    "torch_dtype": "dtype",
    "validation": "validation_size",
    "warmup": "warmup_steps",
    "warmup_ratio": "warmup_steps",
}


#: pydantic's kinds of error to what is wanted; ``name`` and ``value`` are what was given.
_WANTED = {
    "list_type": "a list is wanted, as in {name}=[{value}]",
    "model_type": "a mapping of keys is wanted, as in {name}: {{...}}",
    "dict_type": "a mapping of keys is wanted, as in {name}: {{...}}",
    "string_pattern_mismatch": A_NAME,
}


class SettingError(FlextuneError):
    """A key of an experiment that cannot be as it is given.

    Attributes:
        key: Its dotted path; may be empty.
        template: The message, with ``{key}`` where the path stands.
    """

    def __init__(self, key: str, template: str) -> None:
        self.key = key
        self.template = template
        shown = template if key else template.replace("{key}: ", "")
        super().__init__(shown.replace("{key}", key))

    def within(self, prefix: str) -> SettingError:
        """The same error, of a section that lies at ``prefix``."""
        return SettingError(f"{prefix}.{self.key}" if self.key else prefix, self.template)


def validate(model: type[SectionT], raw: Mapping[str, Any], *, prefix: str = "") -> SectionT:
    """A section from raw keys.

    Args:
        model: The section.
        raw: Its keys.
        prefix: Where it lies in the experiment, for errors: ``optimizer``, ``arms.lora``.

    Raises:
        SettingError: One line: the key, what is wrong, the right or the nearest known key.
    """
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        problem = _explain(model, error)
    except SettingError as error:  # a section that is chosen by its own name
        problem = error
    raise problem.within(prefix) if prefix else problem from None


def _explain(model: type[Section], error: ValidationError) -> SettingError:
    """The first error: key, what is wrong, the right key."""
    first = min(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
    # Of a union, pydantic also names the member it tried: "literal[...]", "list[str]".
    key = ".".join(str(part) for part in first["loc"] if "[" not in str(part))
    if first["type"] == "extra_forbidden":
        return unknown_key(key, known_keys(model, first["loc"][:-1]), places(model))
    given = first.get("input")
    if first["type"] in _WANTED:
        example = "" if given is None else _as_yaml(given)
        wanted = _WANTED[first["type"]].format(name=key.rpartition(".")[2], value=example)
        return SettingError(key, f"{{key}}: {wanted} (given: {_as_yaml(given)})")
    quoted = isinstance(given, str) and repr(given) in first["msg"]
    silent = quoted or isinstance(given, (dict, list)) or first["type"] == "missing"
    shown = "" if silent else f" (given: {json.dumps(given, default=str)})"
    message = first["msg"].removeprefix("Value error, ").replace("{", "{{")
    return SettingError(key, f"{{key}}: {message}{shown}")


def unknown_key(key: str, known: list[str], elsewhere: Sequence[str] = ()) -> SettingError:
    """The error for a key that does not exist, with what it is called here, or the nearest known key.

    Args:
        key: Its dotted path.
        known: The keys that there are beside it.
        elsewhere: Dotted paths of all keys, to find one that stands in another section.
    """
    name = key.rpartition(".")[2]
    here = OTHER_NAMES.get(name, name)
    moved = [path for path in elsewhere if path.rpartition(".")[2] == here]
    if here != name and ("." in here or here in known):
        hint = f"; here it is called {here!r}"
    elif moved:
        hint = f"; it is {' or '.join(map(repr, moved))}"
    else:
        hint = did_you_mean(name, known)
    return SettingError(key, f"unknown key '{{key}}'{hint} (known: {', '.join(sorted(known))})")


def _as_yaml(value: Any) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)


def places(model: type[Section]) -> list[str]:
    """Dotted paths of the keys in an experiment's sections: ``train.learning_rate``."""
    sections = {name: _section_of(field.annotation) for name, field in model.model_fields.items()}
    return [f"{name}.{key}" for name, section in sections.items() if section for key in section.model_fields]


def known_keys(model: type[Section], path: tuple[int | str, ...] = ()) -> list[str]:
    """Field names of the section that ``path`` leads to."""
    current: Any = model
    for key in path:
        if isinstance(key, int) or not hasattr(current, "model_fields"):
            continue
        if key not in current.model_fields:
            continue
        current = _section_of(current.model_fields[key].annotation)
    return list(current.model_fields) if hasattr(current, "model_fields") else []


def _section_of(annotation: Any) -> Any:
    """The ``Section`` inside ``Section``, ``Section | None`` or ``list[Section]``."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        section = _section_of(inner)
        if section is not None:
            return section
    return None
