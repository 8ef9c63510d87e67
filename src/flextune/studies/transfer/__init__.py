"""What arms learned in the language that was trained, and what they kept in the others."""

from flextune.studies.registry import STUDIES
from flextune.studies.transfer.study import TransferStudy

STUDIES.register("transfer", TransferStudy())
