"""What may share a pass, what may be remembered, and what truncation reaches."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from fakes import FakePipeline

from mmgan.sampling.paths import PARTS, WALK_STEPS
from mmgan.ui.sample.batching import Batcher
from mmgan.ui.sample.sampler import Sampler


class Turned(FakePipeline):
    """Its embeddings are another's with the sign turned, as if it had been trained; it can be held at a pass."""

    def __init__(self, sign=1):
        super().__init__()
        self.sign, self.passes, self.gate = sign, [], threading.Event()
        self.gate.set()

    def embed(self, prompts):
        return self.sign * super().embed(prompts)

    def __call__(self, *arguments, **options):
        self.passes.append(len(options["latents"]))
        self.gate.wait(10)
        return super().__call__(*arguments, **options)


def run(coroutine):
    with ThreadPoolExecutor(1) as pool:  # Playwright keeps a loop going in this thread
        return pool.submit(asyncio.run, coroutine).result()


def same(one, other):
    return one.image == other.image and np.array_equal(one.waveform, other.waveform)


def test_two_models_are_never_in_one_pass():
    batcher, first, second = Batcher(), Turned(), Turned(-1)

    def ask(pipe):
        return batcher.submit(pipe, lambda: (pipe.embed(["a"]), pipe.latents(1)), 1)

    first.gate.clear()
    held = ask(first)
    while not first.passes:
        time.sleep(0.01)
    mixed = [ask(pipe) for pipe in (first, second, first, second, second)]
    first.gate.set()
    results = [future.result(20) for future in mixed]
    assert held.result(20) and first.passes == [1, 2] and second.passes == [3]
    assert [result.company for result in results] == [2, 3, 2, 3, 3]
    for pipe, result in zip((first, second, first, second, second), results, strict=True):
        alone = FakePipeline.__call__(pipe, embeddings=pipe.embed(["a"]), latents=pipe.latents(1))
        assert result.images[0] == alone.images[0] and np.array_equal(result.audio, alone.audio)


def test_a_retrained_run_never_gives_old_samples(tmp_path):
    checkpoint, trained = tmp_path / "run" / "checkpoint", []
    checkpoint.mkdir(parents=True)

    def load(source):
        trained.append(source)
        return Turned((-1) ** len(trained))

    sampler = Sampler(load=load, models=(), runs=lambda: [("mine", tmp_path / "run")])

    def ask():
        return run(sampler.sample("a", 1, seed=3, model="runs/mine"))

    before = ask()
    for number in range(1, 5):  # a pipeline that is gone may leave its place in memory to the next
        assert ask().remembered
        checkpoint.rename(tmp_path / "run" / f"before-{number}")
        checkpoint.mkdir()
        now = ask()
        assert not now.remembered and not same(now.samples[0], before.samples[0])
        before = now
    assert len(trained) == 5


@pytest.fixture
def sampler():
    return Sampler(load=lambda name: FakePipeline(), models=("digits",))


@pytest.mark.parametrize("truncation", [0.5, 0.0])
def test_truncation_reaches_every_step_of_a_morph(sampler, truncation):
    options = {"seed": 3, "truncation": truncation}
    way = run(sampler.morph("a", "b", **options))
    for step, prompt in ((way.samples[0], "a"), (way.samples[-1], "b")):
        assert same(step, run(sampler.sample(prompt, 1, **options)).samples[0])
        assert not same(step, run(sampler.sample(prompt, 1, seed=3)).samples[0])
    whole = run(sampler.morph("a", "b", seed=3))
    assert not any(map(same, way.samples, whole.samples))


def test_truncation_reaches_every_step_of_a_walk(sampler):
    ways, whole = run(sampler.walk("a", seed=3, truncation=0.5)), run(sampler.walk("a", seed=3))
    still = run(sampler.walk("a", seed=3, truncation=0.0))
    for code in PARTS:
        assert same(ways[code].samples[WALK_STEPS // 2], run(sampler.sample("a", 1, 3, 0.5)).samples[0])
        assert not any(map(same, ways[code].samples, whole[code].samples))
        assert all(same(step, still[code].samples[0]) for step in still[code].samples)
