"""``flextune list``: benchmarks, training data, languages, models and prompts by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from flextune.cli.commands import Command, Group
from flextune.cli.options import Json

app = typer.Typer(cls=Group, help="List names that commands and experiment files take.", no_args_is_help=True)


@app.command("benchmarks", cls=Command)
def benchmarks(as_json: Json = False) -> None:
    """List benchmarks, and the languages of each."""
    _show(_sources("BENCHMARKS"), ("name", "title", "languages"), as_json)


@app.command("data", cls=Command)
def data(as_json: Json = False) -> None:
    """List sources of training examples, which train.data takes."""
    _show(_sources("TRAINING_SOURCES"), ("name", "title", "languages"), as_json)


@app.command("languages", cls=Command)
def languages(as_json: Json = False) -> None:
    """List languages, their spellings, and whether programs can be judged here."""
    _show(list(_languages()), ("name", "title", "spellings", "judged"), as_json)


@app.command("models", cls=Command)
def models(as_json: Json = False) -> None:
    """List the embedded model and those in the hub's cache; any folder, hub id or GGUF file works, too."""
    _show(list(_models()), ("name", "title", "gib"), as_json)


@app.command("prompts", cls=Command)
def prompts(as_json: Json = False) -> None:
    """Ways of posing problems: what generate.prompt and --prompt take; a template file can be given, too."""
    from flextune.generation.prompts.template import find_template, template_names

    found = map(find_template, template_names())
    rows = [
        {"name": each.name, "title": each.section.description, "answer": each.kind, "revision": each.revision}
        for each in found
    ]
    _show(rows, ("name", "title", "answer"), as_json)


def _sources(registry: str) -> list[dict[str, Any]]:
    from flextune import registry as registries

    entries = getattr(registries, registry).entries().values()
    return [{"name": one.name, "title": one.title, "languages": list(one.languages)} for one in entries]


def _languages() -> Iterator[dict[str, Any]]:
    from flextune.judging import languages as judged
    from flextune.languages import LANGUAGES

    known = judged()
    for name, language in LANGUAGES.entries().items():
        tool = known[name].toolchain() if name in known else None
        state = "no" if tool is None else "yes" if tool.found else f"missing: {tool.install}"
        others = [spelling for spelling in language.spellings if spelling != name]
        yield {"name": name, "title": language.full, "spellings": others, "judged": state}


def _models() -> Iterator[dict[str, Any]]:
    from flextune.config import EMBEDDED_MODEL
    from flextune.extras import installed
    from flextune.rosetta import model_folder

    own = sum(file.stat().st_size for file in model_folder().iterdir())
    title = "embedded: three languages, for trying things out"
    yield {"name": EMBEDDED_MODEL, "title": title, "gib": round(own / 2**30, 3)}
    if not installed("huggingface_hub"):
        return
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        repositories = scan_cache_dir().repos
    except CacheNotFound:
        return
    for repository in sorted(repositories, key=lambda one: one.repo_id):
        if repository.repo_type == "model":
            size = round(repository.size_on_disk / 2**30, 3)
            yield {"name": repository.repo_id, "title": "in the hub's cache", "gib": size}


def _show(rows: list[dict[str, Any]], columns: tuple[str, ...], as_json: bool) -> None:
    from flextune.cli.terminal import out, print_json
    from flextune.report.tables import Table, rich_table

    if as_json:
        print_json(rows)
        return
    cells = tuple(tuple(_cell(row[column]) for column in columns) for row in rows)
    table = Table("", columns, cells, align="l" * len(columns))
    out().print(rich_table(table, {"title": 48, "languages": 40, "spellings": 20, "judged": 32}, gap=1))


def _cell(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)
