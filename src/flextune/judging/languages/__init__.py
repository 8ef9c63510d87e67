"""The languages that can be judged: every module here that has a ``LANGUAGE``.

To add a language, add a file that ends in ``LANGUAGE = ...``; no other file changes. Another distribution
names a module of that shape in an entry point of the group ``flextune.languages``; the module also registers
what the language is called in ``flextune.languages.LANGUAGES``. A notebook calls ``LANGUAGES.register``.
"""

from __future__ import annotations

from flextune.judging.languages.base import Language
from flextune.registry import Registry

LANGUAGES: Registry[Language] = Registry("language", __name__, "flextune.languages", attribute="LANGUAGE")


def languages() -> dict[str, Language]:
    """Short name to language, in alphabetical order."""
    return LANGUAGES.entries()


def language(name: str) -> Language:
    """The language of MultiPL-E's short name ``name``.

    Raises:
        FlextuneError: If it is not known; names those that are.
    """
    return LANGUAGES.get(name)
