"""What every command's help has in common."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from typer.core import TyperCommand, TyperGroup

#: The home folder at the beginning of an argument, or of an option's value.
_HOME = re.compile(r"^(--?[a-z-]+=)?~/")

#: What stands for a value, by the type that typer names.
_SHORT = {"int": "N", "float": "X", "path": "PATH", "str": "TEXT", "list[str]": "TEXT"}


class _ShortTypes:
    """Help whose column of types is narrow, and empty beside flags: 80 columns are few."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, ``--help`` among them."""
        parameters: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for parameter in parameters:
            if getattr(parameter, "is_flag", False):
                parameter.metavar = ""
            elif parameter.param_type_name == "option" and parameter.metavar is None:
                typed = parameter.display_type(ctx) if hasattr(parameter, "display_type") else None
                parameter.metavar = _SHORT.get(str(typed).strip("<>").removesuffix(" range"))
        return parameters


class Command(_ShortTypes, TyperCommand):
    """A command of the command line; ``--samples=~/x`` names a file at home, which no shell says for us."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As typer does, with homes written out."""
        return super().parse_args(ctx, [_HOME.sub(_home, argument) for argument in args])


def _home(found: re.Match[str]) -> str:
    return f"{found[1] or ''}{Path.home()}/"


class Group(_ShortTypes, TyperGroup):
    """A command that has commands."""
