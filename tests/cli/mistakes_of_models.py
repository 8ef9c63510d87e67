"""Mistakes about models and adapters: answered by what needs torch."""

from __future__ import annotations

from tests.cli.mistakes import mistake as _

OF_MODELS = [
    _(
        "model typo",
        "eval rosettaa --benchmark rosetta",
        "'rosettaa': no such folder",
        "did you mean 'rosetta'?",
    ),
    _(
        "model absent",
        "eval no/model --benchmark rosetta",
        "'no/model': no such folder",
        "the hub cannot be reached",
    ),
    _(
        "data on no hub",
        "eval rosetta --benchmark humaneval",
        "cannot be had from the hub",
        "--data-dir or $FLEXTUNE",
    ),
    _(
        "no tokenizer",
        "eval bare --benchmark rosetta",
        "'bare': its tokenizer cannot be built: there is no tokenizer.json",
    ),
    _(
        "a model with code of its own",
        "eval custom --benchmark rosetta",
        "it needs Python code from its own repository, which is not run",
        "--server",
    ),
    _(
        "no weights",
        "eval light --benchmark rosetta",
        "'light': no weights (*.safetensors or *.bin) in light; fetch it again",
    ),
    _(
        "no weights, in a file",
        "run file.yaml 'arms=[{name: base, train: null}, {name: other, model: light, train: null}]'",
        "'light': no weights (*.safetensors or *.bin) in light; fetch it again",
    ),
    _("no tokenizer, to generate", "generate bare --benchmark rosetta -o x", "its tokenizer cannot be built"),
    _(
        "a shard is missing",
        "eval sharded --benchmark rosetta",
        "'sharded': no model-00002-of-00002.safetensors in sharded; fetch the model again",
    ),
    _(
        "model for an adapter",
        "eval rosetta+bare",
        "bare: no adapter_config.json; it is not an adapter folder",
    ),
    _(
        "adapter for a model",
        "eval adapter --benchmark rosetta",
        "it is an adapter: give it with its base model, as whole+adapter",
    ),
    _(
        "adapter of another model",
        "eval rosetta+adapter",
        "adapter: adapter for another model (made for whole)",
        "needs (",
    ),
    _(
        "adapter of another model, in a file",
        "run file.yaml 'arms=[{name: base, train: null}, {name: mine, adapter: adapter}]'",
        "adapter: adapter for another model (made for whole)",
    ),
    _(
        "damaged adapter",
        "eval whole+cut --benchmark rosetta",
        "cut/adapter_model.safetensors: the adapter's weights are damaged",
        "fetch it again",
    ),
    _("adapter without weights", "eval whole+empty --benchmark rosetta", "are missing; fetch it again"),
    _("adapter of NaN", "eval whole+nan --benchmark rosetta", "holds NaN or infinity: its training diverged"),
    _(
        "adapter of NaN, to generate",
        "generate whole+nan --benchmark rosetta -o x",
        "holds NaN or infinity: its training diverged",
    ),
    _("no CUDA", "run file.yaml device=cuda:99", "device 'cuda:99'", "cpu"),
    _(
        "diverged",
        "train file.yaml train.learning_rate=1e30 train.max_steps=4",
        "lower train.learning_rate",
        begins=True,
    ),
]
