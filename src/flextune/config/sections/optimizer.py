"""The section ``optimizer``: its ``name`` decides which options there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, SerializeAsAny, WithJsonSchema

from flextune.config.optimizers.base import OptimizerConfig
from flextune.config.validation import SettingError, known_keys, validate
from flextune.registry import OPTIMIZERS


def optimizer(name: str = "adamw", **options: Any) -> OptimizerConfig:
    """The section of an optimizer by its name.

    Raises:
        SettingError: An unknown name, or an option that it does not have or take.
    """
    return read_optimizer({"name": name, **options})


def read_optimizer(raw: Any) -> Any:
    """A raw ``optimizer`` section as the one of its name; what is no mapping is left as it is.

    An option that is null has its default.

    Raises:
        SettingError: Naming the key below ``optimizer``.
    """
    if not isinstance(raw, Mapping):
        return raw
    given = {key: value for key, value in raw.items() if value is not None}
    name = given.get("name", "adamw")
    if not isinstance(name, str) or name not in OPTIMIZERS:
        raise SettingError("optimizer.name", f"{{key}}: {OPTIMIZERS.unknown(str(name))}")
    section = OPTIMIZERS.get(name)
    own = known_keys(section)
    for key in given:
        if key not in own and any(key in known_keys(other) for other in OPTIMIZERS.entries().values()):
            options = ", ".join(option for option in own if option != "name")
            raise SettingError(f"optimizer.{key}", f"{{key}}: {name} has no such option (it has: {options})")
    return validate(section, given, prefix="optimizer")


def merge_optimizers(base: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    """An override over the experiment's section; another name starts from that optimizer's defaults."""
    another = override.get("name", base.get("name", "adamw")) != base.get("name", "adamw")
    return dict(override) if another else {**base, **override}


Optimizer = Annotated[
    SerializeAsAny[OptimizerConfig],
    BeforeValidator(read_optimizer),
    WithJsonSchema({"title": "Optimizer", "type": "object"}),
]
