"""What every run shows: scores, comparisons with the baseline, outcomes, losses, spectra and programs."""

from flextune.studies.registry import STUDIES
from flextune.studies.scores.study import ScoresStudy

STUDIES.register("scores", ScoresStudy())
