"""Every language by short name, found by looking: one file of this package per language.

To add a language, add a file that ends in ``LANGUAGE = ...``; no other file changes.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

from flextune.rosetta.languages.base import Language


def discover() -> dict[str, Language]:
    """The ``LANGUAGE`` of every module of this package, by its short name."""
    modules = [module.name for module in pkgutil.iter_modules(__path__) if module.name != "base"]
    languages = [import_module(f"{__name__}.{module}").LANGUAGE for module in modules]
    return {language.name: language for language in languages}


LANGUAGES: dict[str, Language] = discover()

__all__ = ["LANGUAGES", "Language", "discover"]
