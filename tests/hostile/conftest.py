from __future__ import annotations

import sys
from pathlib import Path

# The judge's helpers and fixtures serve here too.
sys.path.insert(0, str(Path(__file__).parents[1] / "judging"))
