"""What a run says about the optimizers that it compares, beside the numbers of the paper."""

from flextune.studies.optimizers.study import OptimizersStudy
from flextune.studies.registry import STUDIES

STUDIES.register("optimizers", OptimizersStudy())
