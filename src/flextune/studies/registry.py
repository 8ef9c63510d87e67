"""Which studies there are: the folders of this package, and what others register.

Sections come on the page in the order of ``Section.order``: findings 10, sweep 15, scores 20, transfer 22,
rounds 25, paired tests 30, outcomes 40, training 50, optimizers 60, merging 65, spectrum 70, sections without
a number of their own 75, programs 80, what was run 90.
"""

from __future__ import annotations

from flextune.registry import Registry
from flextune.report.run_data import RunData
from flextune.studies.base import Study

STUDIES: Registry[Study] = Registry("study", "flextune.studies", "flextune.studies")


def studies_of(run: RunData) -> dict[str, Study]:
    """The studies that apply to a run, by name."""
    return {name: study for name, study in STUDIES.entries().items() if study.applies(run)}


def arms_drawn(run: RunData) -> frozenset[str]:
    """Arms whose training curves one of the studies draws."""
    return frozenset().union(*(study.arms_drawn(run) for study in studies_of(run).values()))
