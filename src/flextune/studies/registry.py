"""Which studies there are: the folders of this package, and what other packages register.

Sections come on the page in the order of ``Section.order``: findings 10, scores 20, paired tests 30,
outcomes 40, training 50, optimizers 60, spectrum 70, sections without a number of their own 75, programs 80,
what was run 90.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

import flextune.studies
from flextune.report.run_data import RunData
from flextune.studies.base import Study

_REGISTERED: list[Study] = []


def register(study: Study) -> None:
    """Add a study of another package; one of the same name takes its place.

    Args:
        study: Asked about every run that is reported from now on.
    """
    unregister(study.name)
    _REGISTERED.append(study)


def unregister(name: str) -> None:
    """Forget a registered study; nothing happens where there is none of that name."""
    _REGISTERED[:] = [study for study in _REGISTERED if study.name != name]


def studies_of(run: RunData) -> list[Study]:
    """The studies that apply to a run."""
    return [study for study in (*_own(), *_REGISTERED) if study.applies(run)]


def arms_drawn(run: RunData) -> frozenset[str]:
    """Arms whose training curves one of the studies draws."""
    return frozenset().union(*(study.arms_drawn(run) for study in studies_of(run)))


@cache
def _own() -> tuple[Study, ...]:
    """``STUDY`` of every folder of this package."""
    names = sorted(module.name for module in pkgutil.iter_modules(flextune.studies.__path__) if module.ispkg)
    return tuple(importlib.import_module(f"flextune.studies.{name}").STUDY for name in names)
