"""The paper's rounds 0 to 5: its experiments, its numbers, and what ours say to its claims."""

from flextune.studies.registry import STUDIES
from flextune.studies.rounds.study import RoundsStudy

STUDIES.register("rounds", RoundsStudy())
