"""What every benchmark says beside its numbers: command, versions, hardware, date."""

from __future__ import annotations

import datetime
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from flextune.runs.environment import describe_environment

RESULTS = Path(__file__).parent / "results"


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def conditions(versions: Mapping[str, str] | None = None) -> str:
    """A list in Markdown: how the numbers were made."""
    found = describe_environment(["python", "-m", *_module_and_arguments()])
    hardware = found["hardware"]
    shown = {**found["versions"], **(versions or {})}
    lines = [
        f"- command: `{found['command']}`",
        f"- date: {datetime.datetime.now(datetime.UTC).date().isoformat()}",
        f"- hardware: {hardware['cpu']}, {hardware['cores']} cores, {hardware['memory_gib']} GiB, "
        f"{hardware['system']}",
        *([f"- GPU: {', '.join(hardware['gpus'])}"] if hardware["gpus"] else []),
        f"- versions: {', '.join(f'{name} {version}' for name, version in shown.items())}",
    ]
    return "\n".join(lines)


def finish(name: str, text: str, keys: Mapping[str, object], *, quick: bool) -> None:
    """Write ``results/NAME.md`` (not for a quick run, whose numbers are rough) and print the last line."""
    if quick:
        print(text)
    else:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}.md").write_text(text.rstrip() + "\n", encoding="utf-8")
        print(f"wrote {RESULTS / name}.md")
    print(json.dumps(keys))


def _module_and_arguments() -> list[str]:
    module = Path(sys.argv[0]).stem
    # A machine's own paths are nobody else's.
    shown = [re.sub("^(--[a-z-]+=)?/.*", r"\1DIR", each, flags=re.DOTALL) for each in sys.argv[1:]]
    return [f"benchmarks.{module}", *shown]
