"""What a run says about one adapter that is used in different ways: unmerged, merged, merged wrongly."""

from flextune.studies.merging.study import MergingStudy
from flextune.studies.registry import STUDIES

STUDIES.register("merging", MergingStudy())
