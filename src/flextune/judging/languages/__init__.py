"""The languages that can be judged: every module here that has a ``LANGUAGE``."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from flextune.errors import FlextuneError
from flextune.judging.languages.base import Language


@cache
def languages() -> dict[str, Language]:
    """Short name to language, in alphabetical order."""
    found: dict[str, Language] = {}
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        if not module.ispkg:
            value = getattr(importlib.import_module(module.name), "LANGUAGE", None)
            if value is not None:
                found[value.name] = value
    return dict(sorted(found.items()))


def language(name: str) -> Language:
    """The language of MultiPL-E's short name ``name``.

    Raises:
        FlextuneError: If it is not known; names those that are.
    """
    found = languages().get(name)
    if found is None:
        raise FlextuneError(f'unknown language "{name}"; known: {", ".join(languages())}')
    return found
