"""Prints the oldest version that pyproject.toml allows of each package, as requirements for pip."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

#: They check the code, build pages or packages and run no test, or need a Chrome or a GPU.
LEFT_OUT = {
    "axe-playwright-python",
    "build",
    "coverage",
    "hatchling",
    "import-linter",
    "kaleido",
    "liger-kernel",
    "mkdocs-material",
    "mkdocstrings",
    "mypy",
    "playwright",
    "ruff",
    "twine",
    "types-pyyaml",
}


def minimum(requirement: str) -> str:
    """``requirement`` with its lower bound as the only version; as it is where it has none."""
    name, bound, version = re.fullmatch(r"([\w.-]+(?:\[[\w,-]+\])?)\s*(>=)?([\w.]*).*", requirement).groups()
    return f"{name}=={version}" if bound else name


def main() -> None:
    """Of the package, of all its extras and of what the tests need."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    wanted = {minimum(requirement) for group in groups for requirement in group}
    for requirement in sorted(wanted):
        if re.split(r"[=\[]", requirement)[0].lower() not in LEFT_OUT:
            print(requirement)


if __name__ == "__main__":
    main()
