"""An experiment as data: YAML in, every key checked once, arms and overrides applied."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from flextune.records import FlextuneError

#: The embedded base model; any other value is a folder or a hub id.
EMBEDDED_MODEL = "rosetta"

Targets = Literal["attention", "standard", "mlp", "all"]
Lexicon = Literal["base", "reserved"]


def _number(value: Any) -> Any:
    """YAML 1.1 reads ``2e-4`` as text (it wants ``2.0e-4``); here it is a number."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


Real = Annotated[float, BeforeValidator(_number)]


class _Part(BaseModel):
    """Frozen, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


PartT = TypeVar("PartT", bound=_Part)


class AdapterConfig(_Part):
    """LoRA (arXiv:2106.09685) and what is evaluated: the adapter beside the model, or merged into it."""

    rank: int = Field(8, ge=1)
    alpha: Real = Field(16.0, gt=0)
    dropout: Real = Field(0.05, ge=0, lt=1)
    targets: Targets | list[str] = Field(
        "mlp", description="A named set (attention, standard, mlp, all) or a list of module names."
    )
    layers: str | list[int] | None = Field(
        None, description='Layers that get an adapter: a list, or a range such as "0-15". null: all.'
    )
    export: Literal["adapter", "merged"] = Field(
        "adapter", description="What generation uses: the base model with its adapter, or merged weights."
    )


class TrainConfig(_Part):
    """Training data and the recipe."""

    data: Literal["mbpp", "rosetta"] = "mbpp"
    language: str = Field("py", description="Language of the training programs (Rosetta only).")
    lexicon: Lexicon = Field("base", description="Wording of the training descriptions (Rosetta only).")
    format: Literal["docstring", "paper"] = Field(
        "paper",
        description="docstring: signature and description as HumanEval poses them. "
        "paper: text, the tests as comments, then the code.",
    )
    loss: Literal["completion", "full"] = Field(
        "completion", description="Tokens that count: the answer alone, or the prompt too (the paper's)."
    )
    limit: int | None = Field(None, ge=1, description="Use the first so many examples.")
    validation: int = Field(32, ge=0, description="Examples held out of training for the validation loss.")
    epochs: Real = Field(3.0, gt=0)
    max_steps: int | None = Field(None, ge=1, description="Optimizer steps; overrides epochs.")
    batch_size: int = Field(4, ge=1)
    accumulation: int = Field(1, ge=1, description="Batches per optimizer step.")
    learning_rate: Real = Field(2e-4, gt=0)
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: Real = Field(0.0, ge=0, description="Share of the steps (below 1) or number of steps.")
    weight_decay: Real = Field(0.0, ge=0)
    clip: Real = Field(1.0, ge=0, description="Largest gradient norm; 0 switches clipping off.")
    max_length: int = Field(512, ge=8, description="Tokens per example; longer ones are cut.")
    autocast: Literal["bfloat16"] | None = Field(
        None, description="Mixed precision: matrix products of the training in this type."
    )
    log_every: int = Field(10, ge=1)


class PenaltyConfig(_Part):
    """The frequency-domain penalty on every LoRA matrix (arXiv:2604.06253)."""

    kind: Literal["fourier"] = "fourier"
    strength: Real = Field(0.02, ge=0, description="lambda: weight of the penalty in the total loss.")
    cutoff: Real = Field(0.5, gt=0, description="T: where the ramp of phi ends, as a share of the length.")
    low: Real = Field(1.0, ge=0, le=1, description="phi at frequency 0.")
    high: Real = Field(0.1, ge=0, le=1, description="phi from the cutoff upwards.")
    norm: Literal["ortho", "backward"] = Field(
        "ortho",
        description="Transform norm. backward is the paper taken literally and scales with the matrix size.",
    )
    length: Literal["bins", "entries"] = Field(
        "bins", description="What n counts in phi: rfft bins, or entries of the flattened matrix."
    )


class DecodeConfig(_Part):
    """How completions are decoded."""

    strategy: Literal["greedy", "sample", "beam"] = "greedy"
    temperature: Real = Field(0.2, gt=0)
    top_p: Real = Field(0.95, gt=0, le=1)
    samples: int = Field(1, ge=1, description="Completions per problem (sample only).")
    beams: int = Field(4, ge=2)
    max_new_tokens: int = Field(512, ge=1)
    batch_size: int = Field(32, ge=1)

    @model_validator(mode="after")
    def _only_sampling_repeats(self) -> DecodeConfig:
        if self.strategy != "sample" and self.samples != 1:
            raise ValueError(
                f"samples: {self.samples} needs strategy: sample ({self.strategy} gives one answer)"
            )
        return self

    @property
    def label(self) -> str:
        """Short name for tables; what it leaves out is not used by the strategy."""
        if self.strategy == "sample":
            return f"sample t={self.temperature:g} p={self.top_p:g} n={self.samples}"
        return f"beam {self.beams}" if self.strategy == "beam" else "greedy"


class EvaluateConfig(_Part):
    """One benchmark in one language."""

    benchmark: Literal[
        "rosetta", "humaneval", "humaneval-plus", "multipl-e", "multipl-e-mbpp", "mbpp", "apps"
    ] = "rosetta"
    language: str = "py"
    lexicon: Lexicon = Field("base", description="Wording of the descriptions (Rosetta only).")
    limit: int | None = Field(None, ge=1, description="Judge only the first so many problems.")

    @property
    def label(self) -> str:
        """What tells it apart from other evaluations."""
        lexicon = f" {self.lexicon}" if self.benchmark == "rosetta" else ""
        return f"{self.benchmark} {self.language}{lexicon}"


class JudgeConfig(_Part):
    """Limits for every judged program."""

    cpu_seconds: Real = Field(10.0, gt=0)
    wall_seconds: Real = Field(60.0, gt=0)
    memory_mb: int = Field(1024, ge=16)


class ArmConfig(_Part):
    """A named variation: what it gives overrides the experiment; ``train: null`` is the base model itself."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$")
    adapter: dict[str, Any] = Field(default_factory=dict)
    train: dict[str, Any] | None = Field(default_factory=dict)
    penalty: dict[str, Any] | None = Field(default_factory=dict)


class Experiment(_Part):
    """Everything that determines a run."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    model: str = EMBEDDED_MODEL
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1, ...")
    adapter: AdapterConfig = AdapterConfig()
    train: TrainConfig = TrainConfig()
    penalty: PenaltyConfig | None = None
    decode: list[DecodeConfig] = Field(default_factory=lambda: [DecodeConfig()], min_length=1)
    evaluate: list[EvaluateConfig] = Field(default_factory=list)
    judge: JudgeConfig = JudgeConfig()
    seeds: list[int] = Field(default_factory=lambda: [0], min_length=1)
    arms: list[ArmConfig] = Field(default_factory=list)

    @model_validator(mode="after")
    def _consistent(self) -> Experiment:
        given = {
            "arms": [arm.name for arm in self.arms],
            "seeds": [*map(str, self.seeds)],
            # Scores are kept by these; two of one label would fill the same row.
            "decode": [decode.label for decode in self.decode],
            "evaluate": [part.label for part in self.evaluate],
        }
        for what, values in given.items():
            twice = [value for value in values if values.count(value) > 1]
            if twice:
                raise ValueError(f"{what}: {twice[0]!r} is given twice")
        for arm in self.arms:
            resolve_arm(self, arm)
        return self

    def resolved_arms(self) -> list[ResolvedArm]:
        """Each arm with its own settings; an experiment without arms is one arm of its own name."""
        arms = self.arms or [ArmConfig(name=self.name)]
        return [resolve_arm(self, arm) for arm in arms]


class ResolvedArm(_Part):
    """One arm after its overrides; ``train`` None means the base model."""

    name: str
    adapter: AdapterConfig
    train: TrainConfig | None
    penalty: PenaltyConfig | None


def resolve_arm(experiment: Experiment, arm: ArmConfig) -> ResolvedArm:
    """Apply an arm's overrides; a key it does not give keeps the experiment's value.

    Raises:
        FlextuneError: At the arm's own key, naming the nearest known one.
    """
    penalty: PenaltyConfig | None = experiment.penalty
    where = f"arms.{arm.name}"
    if arm.penalty is None:
        penalty = None
    elif arm.penalty:
        base = experiment.penalty.model_dump() if experiment.penalty else {}
        penalty = _validate(PenaltyConfig, {**base, **arm.penalty}, where=f"{where}.penalty")
    train = None
    if arm.train is not None:
        train = _validate(TrainConfig, {**experiment.train.model_dump(), **arm.train}, where=f"{where}.train")
    adapter = _validate(
        AdapterConfig, {**experiment.adapter.model_dump(), **arm.adapter}, where=f"{where}.adapter"
    )
    return ResolvedArm(name=arm.name, adapter=adapter, train=train, penalty=penalty)


def load_experiment(path: Path, overrides: Iterable[str] = ()) -> Experiment:
    """Read an experiment file and apply ``key.path=value`` overrides (values are YAML).

    Raises:
        FlextuneError: Naming file and key; unknown keys with the nearest known one.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise FlextuneError(f"{path}: cannot read the experiment file ({reason})") from error
    return parse_experiment(text, where=str(path), overrides=overrides)


def parse_experiment(text: str, *, where: str, overrides: Iterable[str] = ()) -> Experiment:
    """As ``load_experiment``, from text; ``where`` names the source in errors."""
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise FlextuneError(f"{where}{line}: not valid YAML ({getattr(error, 'problem', error)})") from error
    if not isinstance(raw, dict):
        raise FlextuneError(f"{where}: an experiment is a mapping of keys (found: {type(raw).__name__})")
    for override in overrides:
        apply_override(raw, override)
    return _validate(Experiment, raw, where=where)


def apply_override(raw: dict[str, Any], override: str) -> None:
    """Set ``a.b.0.c=value`` inside a raw experiment; a list replaces a list.

    Raises:
        FlextuneError: If it is not ``key=value``, or the path runs through something that has no keys.
    """
    path, equals, value = override.partition("=")
    if not equals or not path:
        raise FlextuneError(f"{override!r}: an override is key.path=value, for example train.epochs=1")
    try:
        parsed = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise FlextuneError(f"{override!r}: the value is not valid YAML") from error
    keys = path.split(".")
    node: Any = raw
    for depth, key in enumerate(keys):
        last = depth == len(keys) - 1
        index: Any = key
        if isinstance(node, list):
            index = _list_index(node, key, override)
        elif not isinstance(node, dict):
            raise FlextuneError(f"{override!r}: {'.'.join(keys[:depth])} has no keys of its own")
        if last:
            node[index] = parsed
        elif isinstance(node, dict):
            if node.get(key) is None:
                node[key] = {}
            node = node[key]
        else:
            node = node[index]


def _list_index(node: list[Any], key: str, override: str) -> int:
    """A list's item by number, or by the ``name`` it carries (arms)."""
    for position, item in enumerate(node):
        if isinstance(item, dict) and item.get("name") == key:
            return position
    if key.isdigit() and int(key) < len(node):
        return int(key)
    raise FlextuneError(f"{override!r}: no item {key!r} in that list of {len(node)}")


def dump_experiment(experiment: Experiment) -> str:
    """The fully resolved YAML: reading it back gives an equal experiment."""
    # JSON mode turns every value into one that YAML writes without tags.
    return yaml.safe_dump(experiment.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=100)


def schema() -> dict[str, Any]:
    """JSON schema of an experiment file, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Experiment.model_json_schema()}


def _validate(model: type[PartT], raw: Mapping[str, Any], *, where: str) -> PartT:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise FlextuneError(f"{where}: {_explain(model, error)}") from None
    except FlextuneError as error:  # from an arm's own part
        raise FlextuneError(f"{where}: {error}") from None


def _explain(model: type[_Part], error: ValidationError) -> str:
    """The first error as one line: key, what is wrong, the nearest known key."""
    first = min(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
    # Of a union, pydantic also names the member it tried: "literal[...]", "list[str]".
    location = ".".join(str(part) for part in first["loc"] if "[" not in str(part))
    if first["type"] == "extra_forbidden":
        known = _known_keys(model, first["loc"][:-1])
        close = difflib.get_close_matches(str(first["loc"][-1]), known, n=1, cutoff=0.0)
        hint = f", did you mean {close[0]!r}?" if close else ""
        return f"unknown key {location!r}{hint} (known: {', '.join(sorted(known))})"
    given = first.get("input")
    silent = isinstance(given, (dict, list)) or first["type"] == "missing"
    shown = "" if silent else f" (given: {json.dumps(given, default=str)})"
    message = first["msg"].removeprefix("Value error, ")
    return f"{location + ': ' if location else ''}{message}{shown}"


def _known_keys(model: type[_Part], path: tuple[int | str, ...]) -> list[str]:
    """Field names of the part that ``path`` leads to."""
    current: Any = model
    for key in path:
        if isinstance(key, int) or not hasattr(current, "model_fields"):
            continue
        if key not in current.model_fields:
            continue
        current = _part_of(current.model_fields[key].annotation)
    return list(current.model_fields) if hasattr(current, "model_fields") else []


def _part_of(annotation: Any) -> Any:
    """The ``_Part`` inside ``Part``, ``Part | None`` or ``list[Part]``."""
    if isinstance(annotation, type) and issubclass(annotation, _Part):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _part_of(inner)
        if found is not None:
            return found
    return None
