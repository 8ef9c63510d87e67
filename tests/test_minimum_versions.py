from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "scripts" / "minimum_versions.py"


def test_every_requirement_has_one_oldest_version() -> None:
    said = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, check=True).stdout
    names = [line.partition("==")[0] for line in said.split()]
    assert all("==" in line for line in said.split())
    assert len(set(names)) == len(names)
    assert {"numpy", "torch", "transformers", "pytest"} <= set(names)
