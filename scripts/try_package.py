"""Tries the packages of a folder: each is installed into an empty environment, and judges two programs there.

    python scripts/try_package.py dist
    python scripts/try_package.py dist --packages-of .venv/bin/python

The second form downloads nothing: flextune comes from the package, what it needs from another environment.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src"
PROBLEM = {
    "name": "double",
    "language": "py",
    "prompt": "def double(x):\n",
    "tests": "assert double(2) == 4",
    "stop_tokens": [],
}
SAMPLES = {"    return 2 * x\n": "passed", "    return x\n": "wrong_answer"}
PURELIB = "import sysconfig; print(sysconfig.get_path('purelib'))"


def output(*command: str | Path, cwd: Path | None = None) -> str:
    """What a command prints.

    Raises:
        SystemExit: It failed; its own messages were shown.
    """
    done = subprocess.run(list(map(str, command)), cwd=cwd, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"failed ({done.returncode}): {' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


def expect(what: str, found: object, wanted: object) -> None:
    """End the script where a package does something else than it should."""
    if found != wanted:
        raise SystemExit(f"{what}: {found!r}, not {wanted!r}")


def complete(wheel: Path) -> None:
    """Every file of the source tree is in the wheel: runners, templates, schemas and models too."""
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    files = {str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*") if path.is_file()}
    expect("files in the wheel", sorted(names ^ {f for f in files if "__pycache__" not in f}), [])


def install(package: Path, folder: Path, packages_of: Path | None) -> Path:
    """A new environment's folder of commands, with the package and what it needs."""
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    options: list[str] = []
    if packages_of is not None:
        library = Path(output(python, "-c", PURELIB).strip())
        (library / "needs.pth").write_text(output(packages_of, "-c", PURELIB))
        options = ["--no-deps", "--no-index", "--no-build-isolation"]
    output(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", *options, package)
    return folder / "bin"


def judge(commands: Path, folder: Path) -> None:
    """A right program passes and a wrong one does not."""
    (folder / "problems.jsonl").write_text(json.dumps(PROBLEM) + "\n")
    rows = [json.dumps({"name": "double", "completion": text}) for text in SAMPLES]
    (folder / "samples.jsonl").write_text("\n".join(rows) + "\n")
    files = ["--problems", "problems.jsonl", "--samples", "samples.jsonl", "-o", "verdicts.jsonl"]
    output(commands / "flextune", "judge", *files, cwd=folder)
    verdicts = [json.loads(line) for line in (folder / "verdicts.jsonl").read_text().splitlines()]
    expect("outcomes", [verdict["outcome"] for verdict in verdicts], list(SAMPLES.values()))


def attempt(package: Path, packages_of: Path | None) -> None:
    """Install one package and use it, far from its checkout."""
    version = package.name.removesuffix(".tar.gz").split("-")[1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commands = install(package, folder / "environment", packages_of)
        said = output(commands / "flextune", "--version", cwd=folder).strip()
        expect("flextune --version", said, f"flextune {version}")
        home = output(commands / "python", "-c", "import flextune; print(flextune.__file__)", cwd=folder)
        expect("installed from the package", Path(home).is_relative_to(folder), True)
        output(commands / "flextune", "init", cwd=folder)
        judge(commands, folder)
    print(f"{package.name}: installed, and judges right")


def main() -> None:
    """Each package of the folder in turn."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--packages-of", type=Path, metavar="PYTHON")
    options = parser.parse_args()
    packages = sorted(options.folder.glob("flextune-*"))
    expect("packages", [package.suffix for package in packages], [".whl", ".gz"])
    complete(packages[0])
    for package in packages:
        attempt(package.resolve(), options.packages_of)


if __name__ == "__main__":
    main()
