"""Packages that not every installation has: which extra brings them, looked for before anything is done."""

from __future__ import annotations

import importlib.util

from flextune.errors import FlextuneError

#: Name of the import: name on PyPI, and the extra that brings it; None: no extra does.
_EXTRAS: dict[str, tuple[str, str | None]] = {
    "accelerate": ("accelerate", "train"),
    "bitsandbytes": ("bitsandbytes", "quantization"),
    "datasets": ("datasets", "hub"),
    "datasketch": ("datasketch", "data"),
    "gguf": ("gguf", "gguf"),
    "liger_kernel": ("liger-kernel", "liger"),
    "kaleido": ("kaleido", "figures"),
    "mlflow": ("mlflow", None),
    "openai": ("openai", "server"),
    "optuna": ("optuna", "sweeps"),
    "pandas": ("pandas", "pandas"),
    "peft": ("peft", "train"),
    "psycopg": ("psycopg", "sweeps"),
    "pyarrow": ("pyarrow", "data"),
    "pytorch_optimizer": ("pytorch-optimizer", "optimizers"),
    "ray": ("ray", "cluster"),
    "safetensors": ("safetensors", "train"),
    "tensorboard": ("tensorboard", None),
    "torch": ("torch", "train"),
    "trackio": ("trackio", None),
    "transformers": ("transformers", "train"),
    "wandb": ("wandb", None),
}


def need(*packages: str, what: str | None = None) -> None:
    """Look for packages of an extra without importing them.

    Args:
        packages: Names of imports.
        what: What needs them, for the message.

    Raises:
        FlextuneError: One is missing; says the command that adds it.
    """
    for name in packages:
        if not installed(name):
            raise FlextuneError(missing(name, what))


def installed(package: str) -> bool:
    """Whether a package could be imported."""
    try:
        return importlib.util.find_spec(package) is not None
    except ValueError:  # a module that was put there without a spec
        return False


def belongs_to_an_extra(module: str) -> bool:
    """Whether a module is of a package that an extra brings."""
    return module.partition(".")[0] in _EXTRAS


def missing(package: str, what: str | None = None) -> str:
    """The message for a package, or a module of one, that is not there."""
    package = package.partition(".")[0]
    name, _ = _EXTRAS[package]
    return f"{f'{what} needs {name}' if what else f'{name} is not installed'}: {install_command(package)}"


def install_command(package: str) -> str:
    """``pip install 'flextune[train]'``."""
    name, extra = _EXTRAS[package]
    return f"pip install {name}" if extra is None else f"pip install 'flextune[{extra}]'"
