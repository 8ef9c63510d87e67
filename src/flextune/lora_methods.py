"""What an adapter's settings say about its A and B: an update ``scale * B A``, or something else.

Reads PEFT's configurations, as objects or as JSON, and needs no PEFT.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Options of LoRA under which a layer's update is not ``scale * B A``, and what it is.
_OTHER_UPDATES = {
    "use_bdlora": "BD-LoRA, whose A or B is block-diagonal",
    "use_qalora": "QA-LoRA, whose A meets averages of the inputs",
    "kasa_config": "KaSA, which truncates the base weights and puts a diagonal between B and A",
    "arrow_config": "Arrow, which weighs several adapters token by token",
}
#: Values of ``init_lora_weights`` (their beginnings) that take A and B out of the base weights, or change
#: those so that the model stays nearly the same. At the others B A is 0, or is added to the base weights.
_STARTS_IN_BASE = ("pissa", "corda", "olora", "loftq", "lora_ga")


def other_update(config: Any) -> str | None:
    """What an adapter is whose update is not ``scale * B A``; None for one that has it.

    Args:
        config: A ``PeftConfig``, or what ``adapter_config.json`` holds.
    """
    method = _setting(config, "peft_type")
    method = str(getattr(method, "value", method))
    if method != "LORA":
        return method
    return next((what for option, what in _OTHER_UPDATES.items() if _setting(config, option)), None)


def start_in_base(config: Any) -> str | None:
    """The start by which A and B hold a part of the base weights (``pissa`` for one); None for others."""
    start = _setting(config, "init_lora_weights")
    return start if isinstance(start, str) and start.lower().startswith(_STARTS_IN_BASE) else None


def _setting(config: Any, name: str) -> Any:
    return config.get(name) if isinstance(config, Mapping) else getattr(config, name, None)
