from __future__ import annotations

import pytest
import torch
from tests.support.tiny import tiny_model

from flextune.generation.local.engine import LocalEngine
from flextune.models.load import LoadedModel, load_model
from flextune.records import Problem


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """A random model with large weights, so that its answers differ from prompt to prompt.

    It never says its EOS; a second one is declared that some of its greedy answers hold.
    """
    folder = tiny_model(tmp_path_factory.mktemp("models") / "tiny", initializer_range=0.4)
    loaded = load_model(str(folder), device="cpu")
    ids = torch.tensor([loaded.tokenizer("def f0(x):")["input_ids"]])
    said = loaded.model.generate(ids, max_new_tokens=40, do_sample=False)[0, ids.shape[1] :].tolist()
    rarest = min(said, key=lambda token: (said.count(token), -said.index(token)))
    loaded.model.generation_config.eos_token_id = [loaded.tokenizer.eos_token_id, rarest]
    return loaded


@pytest.fixture(scope="session")
def engine(loaded: LoadedModel) -> LocalEngine:
    return LocalEngine(loaded)


@pytest.fixture(scope="session")
def problems() -> list[Problem]:
    """Prompts of 8 to 46 tokens, in no order of length."""
    prompts = [f"def f{number}(x):\n" + "    # " + "note " * (number * 7 % 9) for number in range(20)]
    return [Problem(f"p{n}", "made-up", "py", prompt, "", ("\n",)) for n, prompt in enumerate(prompts)]
