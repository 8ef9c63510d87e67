"""What every run shows: scores, comparisons with the baseline, outcomes, losses, spectra and programs."""

from flextune.studies.scores.study import ScoresStudy

STUDY = ScoresStudy()
