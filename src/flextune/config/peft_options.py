"""The options of PEFT's LoRA that the section ``adapter`` takes by PEFT's own names."""

from __future__ import annotations

import ast
import importlib.util
import re
from functools import cache
from pathlib import Path

#: Options that are not taken, and why.
REFUSED = {
    "alora_invocation_tokens": "such an adapter cannot be evaluated or merged here",
    "arrow_config": "such an adapter cannot be evaluated or merged here",
    "corda_config": "its start needs a pass over data, which is not made here",
    "eva_config": "its start needs a pass over data, which is not made here",
    "fan_in_fan_out": "it follows from the model",
    "kasa_config": "it changes the base weights for good",
    "layer_replication": "it repeats layers of the base model",
    "layers_pattern": "layers takes numbers and ranges",
    "loftq_config": "its start quantises the base weights",
    "lora_ga_config": "its start needs gradients of data, which are not made here",
    "megatron_config": "this is not Megatron",
    "megatron_core": "this is not Megatron",
    "monteclora_config": "its term in the loss is not computed here",
    "qalora_group_size": "it is for models quantised by GPTQ",
    "runtime_config": "it is not saved with an adapter",
    "target_parameters": "targets names a mixture's experts, too",
    "use_qalora": "it is for models quantised by GPTQ",
}
#: Starts of A and B; ``pissa_niter_4`` for one counts as ``pissa``.
STARTS = ("gaussian", "mica", "olora", "orthogonal", "pissa")
_STARTS_FROM_DATA = {
    "corda": "data",
    "eva": "data",
    "lora_ga": "gradients of data",
    "loftq": "quantised weights",
}


@cache
def lora_options() -> frozenset[str] | None:
    """What PEFT's LoraConfig takes; None where there is no PEFT, or one that keeps it elsewhere.

    Its source is read and not imported, which would bring torch.
    """
    spec = importlib.util.find_spec("peft")
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        file = Path(place) / "tuners" / "lora" / "config.py"
        if not file.is_file():
            continue
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.name == "LoraConfig":
                fields = (each.target for each in node.body if isinstance(each, ast.AnnAssign))
                return frozenset(field.id for field in fields if isinstance(field, ast.Name))
    return None


def checked_start(value: bool | str) -> bool | str:
    """``init_lora_weights``, where such a start can be made here.

    Raises:
        ValueError: It cannot, or there is none of the name.
    """
    if isinstance(value, bool) or value in STARTS or re.fullmatch(r"pissa_niter_\d+", value):
        return value
    if value in _STARTS_FROM_DATA:
        raise ValueError(f"{value} starts from {_STARTS_FROM_DATA[value]}, which is not made here")
    raise ValueError(f"no start is called {value!r} (known: true, false, {', '.join(STARTS)}, pissa_niter_N)")
