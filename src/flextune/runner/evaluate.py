"""Evaluate models without an experiment file; every evaluation of a model extends the same run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from flextune.config import ArmConfig, Experiment, GenerateConfig
from flextune.errors import FlextuneError
from flextune.files.names import slug
from flextune.generation.prompts.template import COMPLETION
from flextune.records import Comparison, Score
from flextune.runner.checks import refuse_unused
from flextune.runner.execute import Execution, RunOptions, RunResult
from flextune.runner.generate import note_ties
from flextune.runner.score import gather_scores, write_scores
from flextune.runs import layout
from flextune.runs.run import Run
from flextune.statistics.tally import Setting, setting
from flextune.studies.writing import write_report

# What one evaluation may ask of an arm that another one asked for already.
_EXTENDED = ("decode", "evaluate")
# What of the section ``generate`` is no form of a model.
_POSED = ("prompt", "token_healing", "stops")
# Of a server, what decides the texts.
_SERVED = ("kind", "endpoint", "model", "adapter")


def evaluate_model(request: Experiment, folder: Path, options: RunOptions) -> RunResult:
    """As ``evaluate_models``, of one model."""
    return evaluate_models([request], folder, options)


def evaluate_models(requests: Sequence[Experiment], folder: Path, options: RunOptions) -> RunResult:
    """Evaluate models, with or without adapters that were trained anywhere; trains nothing.

    The folder becomes a run like any other: an arm for each form of a model, and each evaluation adds to
    what earlier ones found.

    Args:
        requests: Model, adapter, benchmarks, decodings and limits, with ``train: null`` and no arms.
        folder: Of these or earlier evaluations; finished work in it is not done again.
        options: What does not change the result.

    Returns:
        The scores that were asked for, and their comparisons; the page shows all of the run.

    Raises:
        FlextuneError: Anything a user can mend.
    """
    for request in requests:
        refuse_unused(request)
    execution = Execution(folder, options)
    asked: set[tuple[str, Setting]] = set()
    scores: list[Score] = []
    comparisons: list[Comparison] = []
    with execution.run.locked():
        # All are checked before the first is answered, which may take hours.
        unjudged = [execution.check(execution.plan(request)) for request in requests]
        for request, pending in zip(requests, unjudged, strict=True):
            new, scores, comparisons = _evaluate(request, execution, pending=bool(pending))
            asked |= {(score.arm, setting(score)) for score in new}
        return RunResult(
            Run(folder),
            [score for score in scores if (score.arm, setting(score)) in asked],
            [row for row in comparisons if (row.arm, setting(row)) in asked],
            write_report(folder),
        )


def with_base_models(requests: Sequence[Experiment]) -> list[Experiment]:
    """The requests, and before the first adapter of a model that model itself where it was not asked for.

    An adapter's score alone does not say whether the adapter helped.
    """
    bare = [request for request in requests if not _has_adapter(request)]
    found: list[Experiment] = []
    for request in requests:
        base = request.model_copy(update={"generate": _without_adapter(request.generate)})
        if base not in bare and _has_adapter(request):
            bare.append(base)
            found.append(base)
        found.append(request)
    return found


def _has_adapter(request: Experiment) -> bool:
    server = request.generate.server
    return request.generate.adapter is not None or (server is not None and server.adapter is not None)


def _without_adapter(generate: GenerateConfig) -> GenerateConfig:
    """The base model, here or on the same server."""
    asked = {key: getattr(generate, key) for key in _POSED}
    if generate.server is None:
        return GenerateConfig(**asked)
    server = generate.server.model_copy(update={"adapter": None})
    return GenerateConfig(**asked, engine=generate.engine, server=server)


def _evaluate(
    request: Experiment, execution: Execution, *, pending: bool
) -> tuple[list[Score], list[Score], list[Comparison]]:
    """One evaluation: its scores, then all scores and comparisons of the run with it."""
    # What an evaluation before this one wrote is read again.
    run = Run(execution.run.folder)
    earlier = run.experiment if (run.folder / layout.EXPERIMENT).is_file() else None
    known = list(run.scores.scores) if run.scores_file.is_file() else []
    experiment, arm = extended(earlier, request, run.name)
    plan = execution.plan(request.model_copy(update={"name": arm}))
    run.begin(experiment, execution.environment(), pending=pending)
    execution.evaluate(plan)
    new = gather_scores(plan.evaluations, run)
    scores, comparisons = write_scores(experiment, _together(known, new, run), run)
    note_ties(plan.evaluations, run, execution.options.reporter)
    return new, scores, comparisons


def extended(earlier: Experiment | None, request: Experiment, name: str) -> tuple[Experiment, str]:
    """The experiment of a folder with one more evaluation in it, and the arm that this is.

    An arm is one form of a model; what is evaluated of it is added to what was.
    """
    settings = _settings(request)
    if earlier is None:
        arm = _arm_name(request, (), request.model)
        first = ArmConfig.model_validate({"name": arm, **settings})
        base = {"name": name, "model": request.model, "train": None, "seeds": request.seeds, "arms": [first]}
        return Experiment.model_validate(base), arm
    same = next((one for one in earlier.arms if _form(one.settings) == _form(settings)), None)
    _check_evaluation(earlier, name)
    arm = same.name if same else _arm_name(request, [one.name for one in earlier.arms], earlier.model)
    lists = {key: _union(same.settings[key] if same else [], settings[key], key) for key in _EXTENDED}
    changed = ArmConfig.model_validate({"name": arm, **settings, **lists})
    arms = [changed if one.name == arm else one for one in earlier.arms]
    seeds = list(dict.fromkeys([*earlier.seeds, *request.seeds]))
    update = {"arms": arms if same else [*arms, changed], "seeds": seeds}
    return earlier.model_copy(update=update), arm


def _check_evaluation(earlier: Experiment, name: str) -> None:
    """Refuse to write into a run that is none of evaluations.

    Raises:
        FlextuneError: It trains.
    """
    if earlier.train is not None or earlier.tune is not None or not earlier.arms:
        raise FlextuneError(
            f"{name}: a run of an experiment file, which an evaluation would overwrite; choose another --name"
        )


def _settings(request: Experiment) -> dict[str, Any]:
    """The keys that an arm sets for a request: model and evaluations, and of the rest what is no default."""
    raw = request.model_dump(mode="json", exclude_defaults=True, exclude={"name", "train", "seeds"})
    return {**raw, **{key: request.model_dump(mode="json")[key] for key in ("model", *_EXTENDED)}}


def _form(settings: dict[str, Any]) -> dict[str, Any]:
    """What makes an arm another one; of a server not where it listens, nor how it is asked."""
    form = {key: value for key, value in settings.items() if key not in _EXTENDED}
    generate = form.get("generate") or {}
    if generate.get("server"):
        server = {key: generate["server"].get(key) for key in _SERVED}
        form["generate"] = {**generate, "server": server}
    return form


def _arm_name(request: Experiment, taken: Sequence[str], first: str) -> str:
    """``base``, another model's name, or the adapter's folder; and how it is used.

    Args:
        request: The model's.
        taken: Names of arms that there are.
        first: The run's first model.
    """
    adapter, server = request.generate.adapter, request.generate.server
    bare = "base" if request.model == first else slug(request.model)
    parts = [_adapter_name(Path(adapter)) if adapter else bare]
    if server is not None:
        parts = [slug(server.adapter)] if server.adapter and not adapter else parts
        parts += [server.kind]
    parts += ["merged"] if adapter and request.generate.export == "merged" else []
    parts += [request.dtype] if request.dtype != "float32" else []
    prompt = request.generate.prompt
    parts += [slug(Path(prompt).stem)] if prompt != COMPLETION else []
    parts += ["healed"] if request.generate.token_healing else []
    name = "-".join(parts)
    numbers = (f"{name}-{number}" for number in range(2, len(taken) + 3))
    return next(candidate for candidate in (name, *numbers) if candidate not in taken)


def _adapter_name(folder: Path) -> str:
    """The folder's name; of ``trained/<key>/adapter`` the key."""
    return slug(folder.parent.name if folder.name == layout.ADAPTER else folder.name)


def _union(before: list[Any], after: list[Any], key: str) -> list[Any]:
    """Both lists; of two items that fill the same row of the scores, the later."""
    replaced = {_label(item, key) for item in after}
    return [*(item for item in before if _label(item, key) not in replaced), *after]


def _label(item: dict[str, Any], key: str) -> str:
    parts: Sequence[Any] = getattr(Experiment.model_validate({"name": "x", key: [item]}), key)
    return str(parts[0].label)


def _together(known: Sequence[Score], new: Sequence[Score], run: Run) -> list[Score]:
    """Scores of earlier evaluations and new ones.

    Of one arm and setting, seeds are added where all else is the same; else the new score counts alone.
    Scores of an arm whose adapter has changed since are left out.
    """
    adapters = {score.arm: _asked(score, run).get("identity") for score in new}
    rows = {
        (score.arm, setting(score)): score
        for score in known
        if score.arm not in adapters or _asked(score, run).get("identity") == adapters[score.arm]
    }
    for score in new:
        place = (score.arm, setting(score))
        old = rows.get(place)
        alike = old is not None and _asked(old, run) == _asked(score, run)
        rows[place] = _merged(old, score) if old is not None and alike else score
    return list(rows.values())


def _asked(score: Score, run: Run) -> dict[str, Any]:
    """What a score was asked for, its seeds apart."""
    generation, judging = next(iter(score.generations.values())), next(iter(score.judgings.values()))
    row = {**run.generated(generation).settings(), "judge": run.judged(judging).settings().get("judge")}
    return {key: value for key, value in row.items() if key != "seed"}


def _merged(old: Score, new: Score) -> Score:
    return replace(
        new,
        outcomes={**old.outcomes, **new.outcomes},
        trainings={**old.trainings, **new.trainings},
        generations={**old.generations, **new.generations},
        judgings={**old.judgings, **new.judgings},
    )
