"""``flextune doctor``: what this machine can do, and the command that adds what is missing."""

from __future__ import annotations

from typing import Any

import typer

from flextune.cli.options import Json


def doctor(as_json: Json = False) -> None:
    """Check the sandbox, the toolchains of every language, and the packages for training."""
    from flextune.cli.terminal import print_json

    rows = [_sandbox(), *_toolchains(), *_packages()]
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            mark = "ok     " if row["found"] else "missing"
            typer.echo(f"{mark} {row['what']:14} {row['version'] if row['found'] else row['hint']}")
    if not all(row["found"] for row in rows):
        raise typer.Exit(1)


def _sandbox() -> dict[str, Any]:
    from flextune.errors import FlextuneError
    from flextune.judging import check_isolation

    try:
        check_isolation()
    except FlextuneError as error:
        return {"what": "sandbox", "found": False, "version": None, "hint": str(error)}
    return {"what": "sandbox", "found": True, "version": "bubblewrap", "hint": ""}


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
