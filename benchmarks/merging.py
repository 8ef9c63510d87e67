"""What merging takes, and what rounding does to updates of the size and spectrum that a 7B adapter has.

``python -m benchmarks.merging [--quick]`` writes ``results/merging.md``.

- Memory: the peak of a merge of a made-up Llama of 2 GB, in a process of its own.
- Rounding: a part of a 7B model's matrix, with weights and updates drawn at random. What rounding does to
  an update depends on sizes alone (of weights, of the update, of the type's steps), so these numbers hold for
  a 7B model of those sizes; what a model *answers* does not follow from them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.reporting import conditions, finish, table
from flextune.models.four_bit import through_four_bits
from flextune.models.merging.adapted import open_adapted
from flextune.models.merging.folder import write_merged
from flextune.models.merging.rounding import stochastic
from flextune.models.merging.tensor_files import TensorWriter

#: Standard deviation of a 7B model's weights, and relative sizes of updates: |U| / |W|.
WEIGHT_SIZE = 0.02
UPDATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
RANK = 8
#: A part of ``mlp.up_proj`` of Code Llama 7B, which is four times as high and as wide.
SHAPE, QUICK_SHAPE = (2752, 1024), (512, 256)
RESIDUAL_RANK = 8


def update(shape: tuple[int, int], size: float, generator: torch.Generator) -> Tensor:
    """A random update of rank 8 whose singular values fall by a factor of 10, of Frobenius norm ``size``."""
    a = torch.randn(RANK, shape[1], generator=generator)
    b = torch.randn(shape[0], RANK, generator=generator) * torch.logspace(0, -1, RANK)
    dense = b @ a
    return dense * (size / dense.norm())


def errors(shape: tuple[int, int]) -> Iterator[tuple[str, ...]]:
    """A row for each size and type: error, part kept and weights that did not move, for each remedy."""
    generator = torch.Generator().manual_seed(0)
    weight = WEIGHT_SIZE * torch.randn(shape, generator=generator)
    for relative in UPDATES:
        delta = update(shape, relative * float(weight.norm()), generator)
        for dtype in (torch.bfloat16, torch.float16, torch.float32):
            base = weight.to(dtype if dtype != torch.float32 else torch.bfloat16).float()
            exact = base + delta
            near = exact.to(dtype).float()
            row = [f"{relative:g}", str(dtype).removeprefix("torch."), *numbers(base, delta, near)]
            if dtype != torch.float32:
                drawn = stochastic(exact, dtype, 1).float()
                row += [*numbers(base, delta, drawn)[:2], residual_error(exact - near, delta)]
            yield (*row, *[""] * (8 - len(row)))


def numbers(base: Tensor, delta: Tensor, merged: Tensor) -> list[str]:
    """Relative error of the update, the part of it that is kept, and the share of weights that stay."""
    change = merged - base
    error = float((change - delta).norm() / delta.norm())
    kept = float((change * delta).sum() / (delta * delta).sum())
    return [f"{100 * error:.3g}", f"{kept:.3f}", f"{100 * float((change == 0).float().mean()):.2g}"]


def residual_error(rest: Tensor, delta: Tensor) -> str:
    """The update's error once a residual adapter holds the best approximation of the rounding errors."""
    u, s, v = torch.svd_lowrank(rest, q=RESIDUAL_RANK + 8, niter=2)
    best = (u[:, :RESIDUAL_RANK] * s[:RESIDUAL_RANK]) @ v[:, :RESIDUAL_RANK].T
    return f"{100 * float((rest - best).norm() / delta.norm()):.3g}"


def four_bit_row(shape: tuple[int, int]) -> str:
    """How far the weights themselves move through four bits."""
    weight = WEIGHT_SIZE * torch.randn(shape, generator=torch.Generator().manual_seed(0))
    rests = [(kind, through_four_bits(weight, kind)) for kind in ("nf4", "fp4")]  # type: ignore[arg-type]
    parts = [
        f"{kind.upper()} {100 * float((kept - weight).norm() / weight.norm()):.1f} %" for kind, kept in rests
    ]
    return f"Through four bits the weights themselves move by {' and '.join(parts)} of their size."


def made_up_model(folder: Path, layers: int, width: int) -> None:
    """A Llama in bfloat16, in shards of four layers, without holding it in memory."""
    from transformers import LlamaConfig

    config = LlamaConfig(
        hidden_size=width,
        intermediate_size=int(2.6875 * width),
        num_hidden_layers=layers,
        num_attention_heads=16,
        vocab_size=32000,
        dtype="bfloat16",
        architectures=["LlamaForCausalLM"],
    )
    config.save_pretrained(folder)
    from flextune.models.load import model_skeleton

    shapes = {name: tuple(each.shape) for name, each in model_skeleton(config).state_dict().items()}
    shards: dict[str, list[str]] = {}
    for name in shapes:
        number = int(name.split(".")[2]) // 4 if ".layers." in name else layers // 4
        shards.setdefault(f"model-{number + 1:05}-of-{layers // 4 + 1:05}.safetensors", []).append(name)
    for file, names in shards.items():
        with TensorWriter(folder / file, [(n, torch.bfloat16, shapes[n]) for n in names], {}) as writer:
            for name in names:
                writer.write(name, (0.02 * torch.randn(shapes[name])).bfloat16())
    index = {"weight_map": {name: file for file, names in shards.items() for name in names}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def made_up_adapter(base: Path, folder: Path) -> None:
    """LoRA of rank 16 on all linear modules."""
    from peft import LoraConfig, get_peft_model

    from flextune.models.load import model_skeleton
    from flextune.models.merging.adapted import weightless

    config = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    attached = get_peft_model(weightless(model_skeleton(str(base))), config)  # type: ignore[arg-type]
    for name, parameter in attached.named_parameters():
        if "lora_B" in name:
            parameter.data = 0.01 * torch.randn(parameter.shape)
    attached.save_pretrained(str(folder), save_embedding_layers=False)


def merge_once(base: Path, adapter: Path, output: Path) -> dict[str, float]:
    """Merge and measure; run in a process of its own. Sizes in MiB."""
    import peft  # noqa: F401 - what importing takes is not the merge's
    import transformers  # noqa: F401

    before = peak()
    start = time.process_time()
    write_merged(open_adapted("made-up", base, adapter), output)
    files = [path.stat().st_size / 2**20 for path in output.glob("*.safetensors")]
    return {
        "model": sum(files),
        "shard": max(files),
        "imports": before,
        "peak": peak(),
        "seconds": time.process_time() - start,
    }


def peak() -> float:
    """Largest resident size of this program, in MiB; ``ru_maxrss`` would count what it was forked from."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def memory(quick: bool) -> dict[str, float]:
    """Peak of memory of a merge."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        layers, width = (4, 256) if quick else (16, 2048)
        made_up_model(folder / "base", layers, width)
        made_up_adapter(folder / "base", folder / "adapter")
        command = [
            sys.executable,
            "-m",
            "benchmarks.merging",
            "--merge",
            *map(str, (folder / "base", folder / "adapter", folder / "out")),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return found


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small shapes, nothing is written")
    parser.add_argument("--merge", nargs=3, type=Path, help=argparse.SUPPRESS)
    call = parser.parse_args()
    if call.merge:
        print(json.dumps(merge_once(*call.merge)))
        return
    shape = QUICK_SHAPE if call.quick else SHAPE
    text = report(memory(call.quick), list(errors(shape)), four_bit_row(shape), shape)
    finish("merging", text, {}, quick=call.quick)


MEMORY = """\
A made-up Llama of {model:.2f} GiB in bfloat16 (largest shard {shard:.0f} MiB), LoRA of rank 16 on all linear
modules: the peak is {peak:.0f} MiB. Importing torch, transformers and PEFT takes {imports:.0f} MiB of that,
so merging takes {beyond:.0f} MiB. It takes {seconds:.0f} s of CPU time."""
ROUNDING = f"""\
One matrix of shape {{rows}} x {{columns}} (a sixteenth of Code Llama 7B's `up_proj`), with weights of
standard deviation {WEIGHT_SIZE:g} and a random update of rank {RANK} whose singular values fall by a
factor of 10. `U / W` is the size of the update beside that of the weights. `error` is the relative error of
the update after rounding to the nearest, `kept` the part of it that is in the weights (1: all), `unmoved`
the share of the weights that are what they were. `stochastic` and the `kept` beside it are the same with
stochastic rounding. `residual` is the error in % beside an adapter of rank {RESIDUAL_RANK} that holds the
best approximation of the rounding errors."""


def report(
    found: dict[str, float], rows: list[tuple[str, ...]], four_bit: str, shape: tuple[int, int]
) -> str:
    """results/merging.md."""
    numbers = {**found, "model": found["model"] / 1024, "beyond": found["peak"] - found["imports"]}
    header = ("U / W", "type", "error, %", "kept", "unmoved, %", "stochastic, %", "kept", "residual, %")
    parts = [
        "# What merging takes, and what rounding does to an update",
        conditions(),
        "## Memory",
        MEMORY.format(**numbers),
        "## Rounding",
        ROUNDING.format(rows=shape[0], columns=shape[1]),
        table(header, rows),
        four_bit,
    ]
    return "\n\n".join(parts)


if __name__ == "__main__":
    main()
