"""What can be known to be wrong with an experiment, a training, a model or a server before work begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flextune.config import Experiment, unused_settings
from flextune.errors import FlextuneError
from flextune.extras import need
from flextune.judging import check_isolation
from flextune.judging.settings import note_missing_toolchains
from flextune.progress import Reporter
from flextune.runner.work import BaseModel, Form, Generation, Training


def check_purpose(experiment: Experiment) -> None:
    """A run evaluates something, is no sweep, and uses all settings of its evaluations.

    Raises:
        FlextuneError: One of these does not hold.
    """
    if not any(arm.evaluate for arm in experiment.resolved_arms()):
        raise FlextuneError(
            f"experiment {experiment.name!r} evaluates nothing: add for example "
            "evaluate: [{benchmark: rosetta, language: java}]"
        )
    refuse_sweep(experiment)
    refuse_unused(experiment)


def refuse_unused(experiment: Experiment) -> None:
    """A temperature of greedy decoding changes nothing, and whoever set it believes that it does.

    Raises:
        FlextuneError: With the first such setting.
    """
    for unused in unused_settings(experiment):
        raise FlextuneError(unused)


def refuse_sweep(experiment: Experiment) -> None:
    """A sweep is another command's work.

    Raises:
        FlextuneError: The experiment has one.
    """
    if experiment.sweep is not None:
        raise FlextuneError(
            f"experiment {experiment.name!r} has a section sweep: run it with `flextune sweep`, or without it"
            " (sweep=null)"
        )


def check_trainings(trainings: Sequence[Training]) -> None:
    """Refuse what would only fail at the first training, perhaps hours into an experiment.

    Args:
        trainings: Those that are not finished.

    Raises:
        FlextuneError: A missing package; a device, type, length, target or layer that the model does not
            allow; a tokenizer without an end; no weights.
    """
    models: dict[BaseModel, Any] = {}
    adapters: set[tuple[BaseModel, str]] = set()
    for training in trainings:
        model, recipe = training.model, training.recipe
        if recipe.optimizer.package is not None:
            need(recipe.optimizer.package, what=f"optimizer {recipe.optimizer.name}")
        if model.quantization is not None:
            need("bitsandbytes", what=f"quantization {model.quantization}")
        if model not in models:
            models[model] = _config(model)
        _check_training(training, models[model])
        adapter = (model, "" if recipe.adapter is None else recipe.adapter.model_dump_json())
        if adapter not in adapters:
            adapters.add(adapter)
            _check_targets(training)
        _check_starts(training)


def check_forms(generations: Sequence[Generation], reporter: Reporter) -> None:
    """Refuse models that could not answer, perhaps hours into an experiment: other arms come before them.

    Args:
        generations: Those that are not complete; what a server has is for the server to check.
        reporter: Told of models whose window is smaller than an answer may be long.

    Raises:
        FlextuneError: No weights, or a tokenizer that cannot be built; an adapter from elsewhere that is
            damaged, holds NaN, or is for another model.
    """
    here = [each for each in generations if each.form.served is None]
    forms = dict.fromkeys(each.form for each in here)
    for name in dict.fromkeys(form.model.name for form in forms):
        need("torch", "transformers", "peft")
        from flextune.generation.local.rows import context_length
        from flextune.models.load import load_tokenizer, model_config
        from flextune.models.weight_files import check_weight_files

        check_weight_files(name)
        load_tokenizer(name)
        window = context_length(model_config(name))
        asked = max(each.decode.max_new_tokens for each in here if each.form.model.name == name)
        if window is not None and asked >= window:
            reporter.note(
                f"{name}: max_new_tokens {asked}, but it has a window of {window}: answers end there"
            )
    for name, folder in dict.fromkeys((form.model.name, form.folder) for form in forms):
        if folder is not None:
            from flextune.models.adapters import check_saved

            check_saved(name, folder)


def check_watched(trainings: Sequence[Training], reporter: Reporter, *, sandbox: bool) -> None:
    """Refuse, before any work, a sandbox that would be missing at the first evaluation of a training.

    Args:
        trainings: Those that are not finished.
        reporter: Told of missing toolchains.
        sandbox: Whether programs run in one.

    Raises:
        FlextuneError: Programs cannot be isolated here.
    """
    watched = [training.watched for training in trainings if training.watched is not None]
    if watched and sandbox:
        check_isolation()
    note_missing_toolchains((problem.language for each in watched for problem in each.problems), reporter)


def check_servers(
    generations: Sequence[Generation], trained: Callable[[str], bool], reporter: Reporter
) -> None:
    """Look whether servers are there, have the models and can decode as is asked.

    Args:
        generations: Those that are not complete.
        trained: Whether the training of a key is finished.
        reporter: Told of adapters that a server can only get once they are trained.

    Raises:
        FlextuneError: Nobody answers, another model, a setting that the server does not take.
    """
    forms: dict[Form, list[Generation]] = {}
    for generation in generations:
        if generation.form.served is not None:
            forms.setdefault(generation.form, []).append(generation)
    later = []
    for form, members in forms.items():
        from flextune.generation.server.checks import check_served

        assert form.served is not None
        there = form.training is None or trained(form.training)
        check_served(form.served, [generation.decode for generation in members], adapter=there)
        later += [] if there else [form.served.name]
    if later:
        names = ", ".join(dict.fromkeys(later))
        reporter.note(f"to be trained first, then served under these names: {names}")


def _config(model: BaseModel) -> Any:
    """The model's configuration, once its tokenizer is known to have an end."""
    need("torch", "transformers", "peft", "accelerate")
    from flextune.models.encoding import check_end_token
    from flextune.models.load import load_tokenizer, model_config
    from flextune.models.weight_files import check_weight_files

    check_weight_files(model.name)
    check_end_token(load_tokenizer(model.name))
    return model_config(model.name)


def _check_training(training: Training, config: Any) -> None:
    import torch

    from flextune.models.devices import resolve_device
    from flextune.training.arguments import check_training

    check_training(
        training.recipe.train,
        device=resolve_device(training.model.device),
        dtype=getattr(torch, training.model.dtype),
        config=config,
        quantization=training.model.quantization,
    )


def _check_starts(training: Training) -> None:
    """Adapters from elsewhere that a training begins with; those of this run do not exist yet."""
    from flextune.models.adapter_folder import usable_adapter
    from flextune.models.starting import check_start

    for merged in training.model.merged:
        if merged.folder is not None:
            usable_adapter(merged.folder)
    adapter = training.recipe.adapter
    if training.start is not None and training.start.folder is not None and adapter is not None:
        check_start(training.model.name, training.start.folder, adapter)


def _check_targets(training: Training) -> None:
    from flextune.models.adapters import check_targets
    from flextune.models.whole import refuse_quantized

    if training.recipe.adapter is None:
        refuse_quantized(training.model.quantization)
        return
    check_targets(training.model.name, training.recipe.adapter, training.model.quantization)


def check_prompts(generations: Sequence[Generation]) -> None:
    """Refuse prompts that a model's tokenizer cannot pose, before any weights are loaded.

    Args:
        generations: Those that are not finished.

    Raises:
        FlextuneError: No chat template, one that refuses the turns, no tokens for infilling, or a prompt that
            a server cannot be given.
    """
    checked: set[tuple[str, str]] = set()
    for generation in generations:
        posed, name = generation.posed, generation.form.model.name
        if generation.form.served is not None:
            from flextune.generation.server.posing import check_posed

            check_posed(generation.form.served.config, posed.prompts.values())
            continue
        asked = (name, posed.template.revision if posed.template else "")
        if not (posed.chat or posed.fills) or asked in checked:
            continue
        checked.add(asked)
        need("torch", "transformers")
        from flextune.generation.local.posing import check_prompt
        from flextune.models.load import load_tokenizer

        check_prompt(load_tokenizer(name), name, next(iter(posed.prompts.values())))
