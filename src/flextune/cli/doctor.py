"""``flextune doctor``: what this machine can do, and the command that adds what is missing."""

from __future__ import annotations

from typing import Any

import typer

from flextune.cli import options as o

_APT = "apt-get install "


def doctor(languages: o.Languages = None, as_json: o.Json = False) -> None:
    """Check the sandbox, the toolchains of every language, and what training needs.

    The exit status is 1 where programs cannot be isolated, or a language of --language cannot be judged.
    """
    from flextune.cli.terminal import print_json

    wanted = _wanted(languages or [])
    rows = [_sandbox(), *_toolchains(), *_packages(), _device(), *_folders()]
    if as_json:
        print_json(rows)
    else:
        _show(rows)
    needed = {"sandbox", *wanted}
    if not all(row["found"] for row in rows if row["what"] in needed):
        raise typer.Exit(1)


def _wanted(spellings: list[str]) -> list[str]:
    from flextune.languages import separated, short_name

    return [short_name(name) for name in separated(spellings)]


def _show(rows: list[dict[str, Any]]) -> None:
    from flextune.languages import language_name

    for row in rows:
        mark = "ok     " if row["found"] else "missing"
        typer.echo(
            f"{mark} {language_name(row['what']):14} {row['version'] if row['found'] else row['hint']}"
        )
    packages = [
        package
        for row in rows
        if not row["found"] and row["hint"].startswith(_APT)
        for package in row["hint"].removeprefix(_APT).split()
    ]
    if packages:
        typer.echo(f"all that is missing: sudo {_APT}{' '.join(dict.fromkeys(packages))}")


def _sandbox() -> dict[str, Any]:
    from flextune.errors import FlextuneError
    from flextune.judging import check_isolation

    try:
        check_isolation()
    except FlextuneError as error:
        return {"what": "sandbox", "found": False, "version": None, "hint": str(error)}
    return {"what": "sandbox", "found": True, "version": f"bubblewrap {_bubblewrap()}".strip(), "hint": ""}


def _bubblewrap() -> str:
    import subprocess

    from flextune.judging import isolation

    command = [isolation().bubblewrap or "bwrap", "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    return said.stdout.split()[-1] if said.stdout.split() else ""


def _toolchains() -> list[dict[str, Any]]:
    from flextune.judging import languages

    found = []
    for name, language in languages().items():
        tool = language.toolchain()
        found.append({"what": name, "found": tool.found, "version": tool.version, "hint": tool.install})
    return found


def _packages() -> list[dict[str, Any]]:
    import importlib.metadata

    rows = []
    for name in ("torch", "transformers", "peft", "accelerate"):
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            rows.append(
                {"what": name, "found": False, "version": None, "hint": "pip install 'flextune[train]'"}
            )
        else:
            rows.append({"what": name, "found": True, "version": version, "hint": ""})
    return rows


def _device() -> dict[str, Any]:
    """What models run on, without loading torch: its driver's file says whether there is a GPU."""
    from pathlib import Path

    gpus = sorted(Path("/proc/driver/nvidia/gpus").glob("*"))
    named = [_gpu_name(folder / "information") for folder in gpus]
    memory = _memory()
    words = ", ".join([*named, memory]) if named else f"no CUDA device: the CPU is used, {memory}"
    return {"what": "device", "found": True, "version": words, "hint": ""}


def _gpu_name(file: Any) -> str:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return "GPU"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("Model")), "GPU")


def _memory() -> str:
    import os

    from flextune.report.formats import size

    return (
        f"{size(os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES'))} of memory, {os.cpu_count()} cores"
    )


def _folders() -> list[dict[str, Any]]:
    """Where data and models are looked for."""
    import os
    from pathlib import Path

    data = os.environ.get("FLEXTUNE_DATA")
    found = data is None or Path(data).expanduser().is_dir()
    words = data or "the hub ($FLEXTUNE_DATA is not set)"
    return [{"what": "data", "found": found, "version": words, "hint": f"$FLEXTUNE_DATA: no folder {data}"}]
