"""What a sweep chose, and what that is worth: the naive best, the honest report, what chance alone gives."""

from flextune.studies.registry import STUDIES
from flextune.studies.sweeps.study import SweepsStudy

STUDIES.register("sweeps", SweepsStudy())
