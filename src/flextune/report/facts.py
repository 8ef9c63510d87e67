"""What was run: model, training, evaluation, machine; facts by name."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from flextune.languages import language_name
from flextune.report import formats
from flextune.report.labels import benchmark_title
from flextune.report.run_data import RunData
from flextune.report.settings_facts import training_facts
from flextune.report.settings_text import pairs
from flextune.report.tables import markdown_item, markdown_text

#: Facts that are code.
AS_CODE = ("Revision", "Command", "Commit")
#: What counts of a processor, and how it is said.
MEMORY = "memory_gib"


def facts(run: RunData, programs: Sequence[tuple[str, str]] = ()) -> list[tuple[str, str]]:
    """Names and values; unknown ones are left out.

    Args:
        run: The run.
        programs: What is known of the generated programs, placed with the evaluation.
    """
    environment, seeds = run.environment, [training.seed for training in run.trainings]
    benchmarks = dict.fromkeys(benchmark_title(s[0]) for s in run.labels.settings)
    languages = dict.fromkeys(language_name(s[1]) for s in run.labels.settings)
    values = [
        ("Model", _model(run)),
        ("Revision", ", ".join(_revisions(run))),
        *(training_facts(run) if seeds else ()),
        ("Arms", ", ".join(run.labels.arms)),
        ("Seeds", ", ".join(dict.fromkeys(seeds))),
        ("Evaluated on", f"{', '.join(benchmarks)} in {', '.join(languages)}" if benchmarks else None),
        ("Decoding", _decoding(run)),
        ("Prompts", ", ".join(run.prompts())),
        *programs,
        ("Limits", _limits(run)),
        ("Command", environment.get("command")),
        ("Commit", environment.get("commit")),
        ("Date", environment.get("date")),
        ("Versions", pairs(environment.get("versions") or {})),
        ("Machine", _machine(environment.get("hardware") or {})),
    ]
    return [(name, str(value)) for name, value in values if value]


def document_head(run: RunData, title: str, left_out: Collection[str] = ("Arms",)) -> Iterator[str]:
    """The first lines of a document about a run: its title, and what was run.

    Args:
        run: The run.
        title: What the document is about.
        left_out: Facts that its tables have.
    """
    yield f"# {markdown_text(run.name)}: {title}"
    yield ""
    for name, value in facts(run):
        if name not in left_out:
            yield from markdown_item(f"{name}: `{value}`" if name in AS_CODE else f"{name}: {value}")
    yield ""


def _model(run: RunData) -> str:
    """Its name, its size as far as the run recorded it, and the type of its weights."""
    if run.experiment is None:
        return ""
    models = dict.fromkeys(arm.model for arm in run.experiment.resolved_arms())
    sizes = {row.get("model"): row.get("parameters") for row in run.run.work()}
    named = [f"{model} ({sizes[model]:,} parameters)" if sizes.get(model) else model for model in models]
    return f"{', '.join(named)}, {run.experiment.dtype}"


def _revisions(run: RunData) -> list[str]:
    """What the models are: a commit of the hub, or a digest of the files."""
    found = [training.settings.get("identity") for training in run.trainings]
    return list(dict.fromkeys(str(identity) for identity in found if identity))


def _decoding(run: RunData) -> str:
    """Each way of decoding with its limit."""
    names = dict.fromkeys(s[3] for s in run.labels.settings)
    arms = run.experiment.resolved_arms() if run.experiment else ()
    limits = {decode.label: decode.max_new_tokens for arm in arms for decode in arm.decode}
    known = {limits.get(name) for name in names}
    if len(names) > 1 and len(known) == 1 and None not in known:
        return f"{'; '.join(names)}; each at most {known.pop():,} tokens"
    return "; ".join(f"{name}, at most {limits[name]:,} tokens" if name in limits else name for name in names)


def _limits(run: RunData) -> str:
    """What a judged program might use."""
    if run.experiment is None:
        return ""
    limits = (arm.judge for arm in run.experiment.resolved_arms())
    texts = (
        f"{limit.cpu_seconds:g} s of CPU, {limit.wall_limit:g} s by the clock, {limit.memory_mib:,} MiB"
        for limit in limits
    )
    return " or ".join(f"{text} a program" for text in dict.fromkeys(texts))


def _machine(hardware: dict[str, Any]) -> str:
    if not hardware:
        return ""
    gpus = hardware.get("gpus")
    parts = [
        str(hardware.get("cpu") or ""),
        formats.count(int(hardware["cores"]), "core") if hardware.get("cores") else "",
        f"{hardware[MEMORY]:g} GiB of memory" if hardware.get(MEMORY) else "",
        ", ".join(gpus) if gpus else "no GPU" if gpus is not None else "",
        str(hardware.get("system") or ""),
    ]
    return ", ".join(part for part in parts if part)
