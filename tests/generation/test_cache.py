from __future__ import annotations

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from flextune.generation.local.cache import ROOM, GrowingLayer, beam_cache, growing_cache
from flextune.models.load import LoadedModel


def test_a_growing_layer_holds_what_the_dynamic_one_holds() -> None:
    generator = torch.Generator().manual_seed(0)
    ours, theirs = GrowingLayer(), DynamicLayer()
    rows = 5
    for step in range(2 * ROOM + 3):
        width = 7 if step == 0 else 1
        states = torch.randn(2, rows, 3, width, 4, generator=generator)
        for mine, other in zip(ours.update(*states), theirs.update(*states), strict=True):
            assert torch.equal(mine, other)
        assert ours.get_seq_length() == theirs.get_seq_length()
        if step in (4, ROOM, ROOM + 20):
            keep = torch.arange(rows - 1)
            ours.batch_select_indices(keep)
            theirs.batch_select_indices(keep)
            rows -= 1
    assert rows == 2


def test_a_step_writes_in_place() -> None:
    layer = GrowingLayer()
    layer.update(*torch.zeros(2, 1, 1, 3, 2))
    place = layer.keys.data_ptr()
    layer.update(*torch.ones(2, 1, 1, 1, 2))
    assert layer.keys.data_ptr() == place


def test_beams_that_trade_places_behind_their_prompt_hold_what_the_dynamic_cache_holds(
    loaded: LoadedModel,
) -> None:
    generator = torch.Generator().manual_seed(0)
    prompts, beams, width = 3, 4, 6
    ours, theirs = beam_cache(loaded.model), DynamicCache(config=loaded.model.config)
    assert ours is not None
    for step in range(ROOM + 5):
        if step == 0:
            # All beams of a prompt begin with the same states.
            states = torch.randn(2, prompts, 3, width, 4, generator=generator).repeat_interleave(beams, 1)
        else:
            states = torch.randn(2, prompts * beams, 3, 1, 4, generator=generator)
        for layer in range(len(ours.layers)):
            for mine, other in zip(ours.update(*states, layer), theirs.update(*states, layer), strict=True):
                assert torch.equal(mine, other)
        drawn = torch.randint(beams, (prompts, beams), generator=generator)
        chosen = (drawn + beams * torch.arange(prompts)[:, None]).flatten()
        # At times every beam stays.
        for cache in (ours, theirs):
            cache.reorder_cache(torch.arange(prompts * beams) if step % 5 == 0 else chosen)


def test_layers_with_a_sliding_window_stay_what_they_are(loaded: LoadedModel) -> None:
    from transformers import MistralConfig

    assert {type(layer) for layer in growing_cache(loaded.model.config).layers} == {GrowingLayer}
    sliding = MistralConfig(num_hidden_layers=2, sliding_window=16)
    assert GrowingLayer not in {type(layer) for layer in growing_cache(sliding).layers}
