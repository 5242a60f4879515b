"""What a GPU's options are worth: bf16, channels_last and CUDA graphs against plain eager."""

from __future__ import annotations

import contextlib
import copy
import gc
from collections.abc import Callable
from unittest import mock

import torch
from torch import Tensor, nn

from mmgan.config import EMBEDDING_DIM
from mmgan.sampling.cuda_graph import Recorded

from .measure import Part, interleave
from .subjects import Setup, fill

CHANNELS_LAST, PLAIN = torch.channels_last, torch.contiguous_format


def gpu_sampling(setup: Setup, device: str = "cuda") -> Part:
    """The generator, embeddings to pictures and mels: latency of one row, and rows per second of many."""
    many = setup.count(32, 2)
    source = setup.pipeline.generator
    rows, values = [], {}
    for size in (1, many):
        torch.manual_seed(0)
        config = source.config
        inputs = (
            torch.randn(size, EMBEDDING_DIM, device=device),
            torch.randn(size, config.latent_dim, device=device),
        )
        for name, layout, bf16, graph in (
            ("plain eager fp32", PLAIN, False, False),
            ("channels_last", CHANNELS_LAST, False, False),
            ("bf16", PLAIN, True, False),
            ("bf16, channels_last", CHANNELS_LAST, True, False),
            ("CUDA graph fp32, channels_last", CHANNELS_LAST, False, True),
            ("CUDA graph bf16, channels_last", CHANNELS_LAST, True, True),
        ):
            if graph and not device.startswith("cuda"):
                continue

            def prepare(layout=layout, bf16=bf16, graph=graph, inputs=inputs) -> Callable[[], object]:
                generator = copy.deepcopy(source).to(device, memory_format=layout).eval()
                call = _graphed(generator, inputs, bf16) if graph else _eager(generator, inputs, bf16)
                return call

            found = _measure(prepare, layout, setup.count(50, 2), device)
            if "ms" in found:
                found["rows_per_s"] = 1e3 * size / found["ms"]
            values[f"{name}, {size} rows"] = found
            rows.append([name, str(size), *_cells(found, "rows_per_s")])
    columns = ["generator", "rows", "median ms", "p95 ms", "rows/s", "peak MiB", "times faster"]
    return Part(
        "6a. On the GPU: sampling", columns, _with_ratios(rows), values, _failures(values)
    )  # fmt: skip


def gpu_training(setup: Setup, device: str = "cuda") -> Part:
    """Pairs per second of the tiny preset's training step."""
    rows, values = [], {}
    for name, layout, bf16, graph in (
        ("plain eager fp32", PLAIN, False, False),
        ("channels_last", CHANNELS_LAST, False, False),
        ("bf16", PLAIN, True, False),
        ("bf16, channels_last (the default)", CHANNELS_LAST, True, False),
        ("the default, generator as CUDA graph", CHANNELS_LAST, True, True),
    ):
        if graph and not device.startswith("cuda"):
            continue
        rounds = setup.count(10, 1)

        def prepare(layout=layout, bf16=bf16, graph=graph, rounds=rounds) -> Callable[[], object]:
            trainer = setup.trainer("tiny", precision="bf16" if bf16 else "fp32")
            for network in (trainer.generator, trainer.discriminators, trainer.ema):
                network.to(memory_format=layout)
            block = trainer.config.losses.penalty_interval
            fill(trainer, block * (rounds + 1))
            if graph:
                model = trainer.config.model
                inputs = (
                    torch.randn(setup.batch, EMBEDDING_DIM, device=device),
                    torch.randn(setup.batch, model.latent_dim, device=device),
                )
                with _precision(device, bf16):
                    torch.cuda.make_graphed_callables(trainer.generator, inputs, allow_unused_input=True)

            def run() -> None:
                for _ in range(block):
                    trainer.step()

            run.pairs = block * setup.batch
            return run

        found = _measure(prepare, layout, rounds, device)
        if "ms" in found:
            found["pairs_per_s"] = 1e3 * found["calls"] / found["ms"]
        values[name] = found
        rows.append([name, str(setup.batch), *_cells(found, "pairs_per_s")])
    columns = ["training, blocks of steps", "batch", "median ms", "p95 ms", "pairs/s", "peak MiB", "times faster"]
    return Part("6b. On the GPU: training the tiny preset", columns, _with_ratios(rows), values, _failures(values))


def _measure(prepare: Callable[[], Callable[[], object]], layout, rounds: int, device: str) -> dict:
    """Milliseconds a call and the peak of memory, or why it failed: one option must not end the others' figures."""
    cuda = device.startswith("cuda")
    try:
        with plain_layout() if layout is PLAIN else contextlib.nullcontext():
            gc.collect()
            if cuda:
                torch.cuda.empty_cache()
                torch.cuda.reset_peak_memory_stats()
            call = prepare()
            timing = interleave(
                {"": call}, rounds, warm_up=min(3, rounds), finish=torch.cuda.synchronize if cuda else _nothing
            )[""]
        peak = torch.cuda.max_memory_allocated() / 2**20 if cuda else None
    except (RuntimeError, AssertionError) as error:
        return {"failed": (str(error).strip().splitlines() or [type(error).__name__])[0][:200]}
    return {
        "ms": 1e3 * timing.median, "p95_ms": 1e3 * timing.p95, "peak_mib": peak,
        "computing": timing.computing, "calls": getattr(call, "pairs", 1),
    }  # fmt: skip


@contextlib.contextmanager
def plain_layout():
    """Lets the models' own requests for channels_last pass unheard, so that the default layout can be measured."""
    original = Tensor.contiguous
    with mock.patch.object(Tensor, "contiguous", lambda self, memory_format=None: original(self)):
        yield


def _precision(device: str, bf16: bool):
    # A graph must not hold weights that autocast cached outside of it.
    return torch.autocast(torch.device(device).type, torch.bfloat16, enabled=bf16, cache_enabled=False)


def _eager(generator: nn.Module, inputs: tuple[Tensor, Tensor], bf16: bool) -> Callable[[], object]:
    device = inputs[0].device.type

    def run():
        with torch.inference_mode(), torch.autocast(device, torch.bfloat16, enabled=bf16):
            generator(*inputs)  # not returned: the timing would keep it, and the peak of memory with it

    return run


def _graphed(generator: nn.Module, inputs: tuple[Tensor, Tensor], bf16: bool) -> Callable[[], object]:
    """One forward pass recorded as mmgan does it; each call copies its inputs in and replays it."""

    def forward(*rows: Tensor) -> tuple[Tensor, ...]:
        with torch.inference_mode(), _precision("cuda", bf16):
            return generator(*rows)

    with torch.inference_mode():
        recorded = Recorded(forward, *inputs)

    def run():
        recorded(*inputs)

    return run


def _cells(found: dict, rate: str) -> list:
    return [found.get("ms"), found.get("p95_ms"), found.get(rate), found.get("peak_mib")]


def _with_ratios(rows: list[list]) -> list[list]:
    """Adds how many times as fast each row is as the first one of the same size."""
    plain = {}
    for row in rows:
        plain.setdefault(row[1], row[2])
    return [[*row, plain[row[1]] / row[2] if row[2] and plain[row[1]] else None] for row in rows]


def _failures(values: dict[str, dict]) -> list[str]:
    return [f"{name} failed: {found['failed']}" for name, found in values.items() if "failed" in found]


def _nothing() -> None:
    pass
