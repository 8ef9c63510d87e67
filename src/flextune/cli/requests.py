"""From options to an experiment, for the commands that need no experiment file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from flextune.cli import options as o
from flextune.cli.server_options import OPTIONS

if TYPE_CHECKING:
    from flextune.config import EvaluateConfig, Experiment


@dataclass(frozen=True)
class ModelRequest:
    """The options of ``eval`` and ``generate``: a benchmark, a way of decoding and a form of the model."""

    benchmark: o.Benchmark = None
    problems: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(
            "--problems",
            help="File of your own problems, instead of --benchmark (docs/rows.md).",
            show_default=False,
        ),
    ] = None
    lexicon: o.Lexicon = "base"
    limit: o.Limit = None
    temperature: o.Temperature = 0.0
    top_p: o.TopP = 0.95
    n: o.Completions = 1
    num_beams: o.NumBeams = 0
    max_new_tokens: o.MaxNewTokens = 512
    top_k: o.TopK = 0
    min_p: o.MinP = 0.0
    repetition_penalty: o.RepetitionPenalty = 1.0
    length_penalty: o.LengthPenalty = 1.0
    batch_size: o.BatchSize = None
    seed: o.Seed = 0
    dtype: o.DType = "auto"
    merged: Annotated[bool, typer.Option("--merged", help="Merge the adapter into the weights.")] = False
    prompt: o.Prompt = "completion"
    token_healing: o.TokenHealing = False
    stops: o.Stops = "benchmark"

    def experiments(
        self,
        models: Sequence[str],
        languages: Sequence[str] | None,
        server: Mapping[str, Any] | None = None,
    ) -> list[Experiment]:
        """An experiment for each model, which evaluates it and trains nothing.

        Args:
            models: Each as ``MODEL`` or ``MODEL+ADAPTER``.
            languages: Those asked for; None: Python, or all that a file of problems has.
            server: The keys of ``generate.server``; None: the models are decoded here.

        Raises:
            FlextuneError: A value that an experiment file could not hold either, under its option's name; an
                option that nothing of what is asked for would use.
        """
        from flextune.errors import FlextuneError

        split = list(map(split_model, models))
        if self.merged and server is None and not any(adapter for _, adapter in split):
            raise FlextuneError("--merged needs an adapter: give MODEL+ADAPTER")
        asked = [self._experiment(name, adapter, languages, server) for name, adapter in split]
        worded = next((part for one in asked for part in one.evaluate if not part.has_lexicons), None)
        if self.lexicon != "base" and worded is not None:
            raise FlextuneError(
                f"--lexicon {self.lexicon}: {worded.name} has one wording alone; leave it out"
            )
        return asked

    def _experiment(
        self,
        name: str,
        adapter: Path | None,
        languages: Sequence[str] | None,
        server: Mapping[str, Any] | None,
    ) -> Experiment:
        return _checked(
            name,
            adapter=adapter,
            merged=self.merged and (adapter is not None or server is not None),
            benchmark=self._benchmark(),
            languages=languages or self._languages(),
            lexicon=self.lexicon,
            limit=self.limit,
            decode=self._decode(),
            dtype=self.dtype,
            seed=self.seed,
            generate={"prompt": self.prompt, "token_healing": self.token_healing, "stops": self.stops},
            server=server,
        )

    def _benchmark(self) -> str | None:
        """The benchmark's name if one is given, or the path of the problems."""
        from flextune.errors import FlextuneError

        if self.problems is None:
            return self.benchmark
        if self.benchmark is not None:
            raise FlextuneError("--problems and --benchmark exclude each other: give one of them")
        # Absolute, so that it is known for a path whatever its name ends in.
        return str(self.problems.expanduser().absolute())

    def _languages(self) -> list[str]:
        from flextune.sources.own import own_languages

        return ["py"] if self.problems is None else own_languages(self.problems.expanduser())

    def _decode(self) -> dict[str, Any]:
        """Beams if given, greedy at temperature 0, else sampling."""
        from flextune.errors import FlextuneError

        common = {
            "max_new_tokens": self.max_new_tokens,
            "batch_size": self.batch_size,
            "repetition_penalty": self.repetition_penalty,
        }
        if self.num_beams and self.temperature:
            raise FlextuneError(
                "--num-beams and --temperature exclude each other: choose beam search or sampling"
            )
        if self.n > 1 and not self.temperature:
            raise FlextuneError(
                f"--n {self.n} needs --temperature above 0: without it every completion is the same"
            )
        self._refuse_unused()
        if self.num_beams:
            beams = {"num_beams": self.num_beams, "length_penalty": self.length_penalty}
            return {"strategy": "beam", **beams, **common}
        if self.temperature:
            drawn = {"temperature": self.temperature, "top_p": self.top_p, "n": self.n}
            drawn |= {"top_k": self.top_k, "min_p": self.min_p}
            return {"strategy": "sample", **drawn, **common}
        return {"strategy": "greedy", **common}

    def _refuse_unused(self) -> None:
        """An option of a way of decoding that was not asked for."""
        from flextune.errors import FlextuneError

        unused = {} if self.num_beams else {"length_penalty": "--num-beams: it is for beam search"}
        if not self.temperature:
            drawing = "--temperature above 0: without it no token is drawn"
            unused |= dict.fromkeys(("top_p", "top_k", "min_p"), drawing)
        for name, needed in unused.items():
            value = getattr(self, name)
            if value != getattr(type(self), name):
                raise FlextuneError(f"--{name.replace('_', '-')} {value:g} needs {needed}")


def split_model(text: str) -> tuple[str, Path | None]:
    """``MODEL`` or ``MODEL+ADAPTER``; a folder that exists is a model, whatever its name holds.

    Raises:
        FlextuneError: The adapter part is no adapter folder, or one of a method that is not supported.
    """
    from flextune.errors import FlextuneError
    from flextune.models.adapter_folder import usable_adapter

    if not text.strip():
        raise FlextuneError("MODEL is empty: give rosetta, a folder, a hub id or a GGUF file")
    model, plus, adapter = text.rpartition("+")
    if not plus or Path(text).expanduser().is_dir():
        return text, None
    folder = Path(adapter).expanduser()
    if not adapter or not folder.is_dir():
        raise FlextuneError(f"{text}: no adapter folder {adapter!r} (MODEL+ADAPTER names a PEFT folder)")
    return model, usable_adapter(folder).path


def benchmark_parts(benchmark: str, languages: Sequence[str], limit: int | None) -> list[EvaluateConfig]:
    """One benchmark in some languages, in its usual wording.

    Raises:
        FlextuneError: There is no such benchmark.
    """
    return _checked("rosetta", benchmark=benchmark, languages=languages, limit=limit).evaluate


def _checked(model: str, **request: Any) -> Experiment:
    """A request whose errors name the option instead of the key."""
    from flextune.config.validation import SettingError
    from flextune.errors import FlextuneError
    from flextune.generation.prompts.template import find_template
    from flextune.runner.request import model_request

    try:
        asked = model_request(model, **request)
        find_template(asked.generate.prompt)
        return asked
    except SettingError as error:
        keys = [part for part in error.key.split(".") if not part.isdigit()]
        names = {"seeds": "seed", "generate": "server", **(OPTIONS if "server" in keys else {})}
        option = names.get(keys[-1], keys[-1]).replace("_", "-")
        raise FlextuneError(str(SettingError(f"--{option}", error.template))) from None
