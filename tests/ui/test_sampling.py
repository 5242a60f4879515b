"""Requests that share forward passes, and the limits of one page."""

import asyncio
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from fakes import FakePipeline

from mmgan.errors import CheckpointError
from mmgan.ui.batching import Batcher
from mmgan.ui.limits import Limiter, Limits
from mmgan.ui.problems import Problem, sentence
from mmgan.ui.sampling import CODES, MORPH_STEPS, WALK_STEPS, Sampler


class Counting(FakePipeline):
    """Counts its passes, and can be held at the first one."""

    def __init__(self, name="digits"):
        super().__init__(name)
        self.passes, self.gate = [], threading.Event()
        self.gate.set()

    def embed(self, prompts):
        if "broken" in prompts:
            raise CheckpointError("The text encoder is broken.")
        return super().embed(prompts)

    def __call__(self, *args, embeddings, latents, **settings):
        self.passes.append(len(latents))
        self.gate.wait(10)
        if (latents > 100).any():
            raise RuntimeError("a pass failed")
        return super().__call__(*args, embeddings=embeddings, latents=latents, **settings)


@pytest.fixture
def pipe():
    return Counting()


@pytest.fixture
def sampler(pipe):
    return Sampler(load=lambda name: pipe, models=("digits",))


def together(*coroutines):
    async def main():
        return await asyncio.gather(*coroutines, return_exceptions=True)

    return asyncio.run(main())


def held(pipe, sampler, *coroutines):
    """All of them while a pass is under way, so that they wait and go together."""

    async def main():
        pipe.gate.clear()
        first = asyncio.ensure_future(sampler.sample("first", 1))
        while not pipe.passes:
            await asyncio.sleep(0.01)
        rest = [asyncio.ensure_future(c) for c in coroutines]
        await asyncio.sleep(0.05)
        pipe.gate.set()
        await first
        return await asyncio.gather(*rest, return_exceptions=True)

    return asyncio.run(main())


def test_visitors_at_the_same_moment_share_a_pass(pipe, sampler):
    results = held(pipe, sampler, *(sampler.sample(f"prompt {i}", 2, seed=i) for i in range(16)))
    assert pipe.passes == [1, 32]
    assert [result.company for result in results] == [16] * 16
    (alone,) = together(Sampler(load=FakePipeline, models=("digits",)).sample("prompt 5", 2, seed=5))
    for one, other in zip(alone.samples, results[5].samples, strict=True):
        assert np.array_equal(one.waveform, other.waveform) and one.image == other.image and one.seed == other.seed


def test_what_does_not_fit_waits_for_the_next_pass(pipe, sampler):
    held(pipe, sampler, *(sampler.sample(f"prompt {i}", 16) for i in range(5)))
    assert pipe.passes == [1, 64, 16]


def test_a_request_that_cannot_be_prepared_harms_no_other(pipe, sampler):
    good, bad = held(pipe, sampler, sampler.sample("good", 1), sampler.sample("broken", 1))
    assert len(good.samples) == 1 and isinstance(bad, CheckpointError)


def test_a_request_that_fails_in_the_pass_harms_no_other(pipe):
    batcher = Batcher()
    rows = [(pipe.embed([str(i)]), torch.full((1, 6), 1e3 if i == 1 else 0.0)) for i in range(3)]
    pipe.gate.clear()
    blocked = batcher.submit(pipe, lambda: rows[0], 1)
    futures = [batcher.submit(pipe, lambda i=i: rows[i], 1) for i in range(3)]
    pipe.gate.set()
    assert blocked.result(10) and futures[0].result(10) and futures[2].result(10)
    with pytest.raises(RuntimeError):
        futures[1].result(10)


def test_the_same_request_is_remembered(pipe, sampler):
    first, again, other = (
        together(sampler.sample("a", 2, seed=seed, truncation=truncation))[0]
        for seed, truncation in ((1, 1.0), (1, 1.0), (1, 0.5))
    )
    assert again.remembered and not first.remembered and not other.remembered and len(pipe.passes) == 2
    assert np.array_equal(first.samples[1].waveform, again.samples[1].waveform)


def test_the_ends_of_a_morph_are_what_the_prompts_give(sampler):
    way, one, other = together(
        sampler.morph("a", "b", seed=3), sampler.sample("a", 1, seed=3), sampler.sample("b", 1, seed=3)
    )
    assert len(way.samples) == MORPH_STEPS
    assert way.samples[0].image == one.samples[0].image and way.samples[-1].image == other.samples[0].image


def test_a_walk_moves_one_part_and_starts_at_the_sample(sampler):
    ways, sample = together(sampler.walk("a", seed=3), sampler.sample("a", 1, seed=3))
    assert tuple(ways) == CODES and {len(way.samples) for way in ways.values()} == {WALK_STEPS}
    start = sample.samples[0]
    for code, way in ways.items():
        assert way.samples[WALK_STEPS // 2].image == start.image
        pictures = [step.image == start.image for step in way.samples]
        sounds = [np.array_equal(step.waveform, start.waveform) for step in way.samples]
        assert all(pictures) == (code == "audio") and all(sounds) == (code == "image")


@pytest.mark.parametrize(
    "settings, key",
    [
        ({"prompt": ""}, "no_prompt"),
        ({"prompt": None}, "no_prompt"),
        ({"prompt": "x" * 5_000}, "long_prompt"),
        ({"num_samples": 17}, "bad_count"),
        ({"num_samples": 1.5}, "bad_count"),
        ({"num_samples": True}, "bad_count"),
        ({"seed": -1}, "bad_seed"),
        ({"seed": "1"}, "bad_seed"),
        ({"truncation": 2}, "bad_truncation"),
        ({"truncation": float("nan")}, "bad_truncation"),
        ({"model": "../digits"}, "bad_model"),
        ({"model": "runs/none"}, "bad_model"),
    ],
)
def test_bad_requests_are_one_sentence_in_both_languages(sampler, settings, key):
    (error,) = together(sampler.sample(**{"prompt": "a", **settings}))
    assert isinstance(error, Problem) and error.key == key
    assert sentence(error, "en") == str(error) != sentence(error, "zh")


def test_a_run_is_a_model_and_is_loaded_anew_after_it_was_saved(tmp_path):
    loaded = []
    (tmp_path / "run" / "checkpoint").mkdir(parents=True)
    sampler = Sampler(
        load=lambda source: loaded.append(source) or FakePipeline(), models=("digits",),
        runs=lambda: [("digits", tmp_path / "run")],
    )  # fmt: skip
    assert sampler.models == ["digits", "runs/digits"]
    together(sampler.sample("a", 1, model="runs/digits"), sampler.sample("b", 1, model="runs/digits"))
    assert loaded == [tmp_path / "run"]
    (tmp_path / "run" / "checkpoint").rename(tmp_path / "run" / "before")
    (tmp_path / "run" / "checkpoint").mkdir()
    together(sampler.sample("a", 1, model="runs/digits"))
    assert loaded == [tmp_path / "run"] * 2


def visitor(address, session):
    return SimpleNamespace(client=SimpleNamespace(host=address), session_hash=session)


def test_a_limiter_fills_up_again():
    now = [0.0]
    limiter = Limiter(3, 2.0, clock=lambda: now[0])
    assert [limiter.take("a") for _ in range(3)] == [0, 0, 0]
    assert limiter.take("a") == pytest.approx(0.5) and limiter.take("b") == 0
    now[0] = 0.6
    assert limiter.take("a") == 0 and limiter.take("a") > 0


def test_a_class_behind_one_address_is_not_held_up_by_one_of_them():
    limits = Limits()
    with pytest.raises(Problem, match="wait"):
        for _ in range(50):
            limits.check(visitor("10.0.0.1", "hasty"))
    for student in range(40):
        for _ in range(5):
            limits.check(visitor("10.0.0.1", f"student {student}"))


def test_a_script_that_renames_itself_is_held_up():
    limits = Limits()
    with pytest.raises(Problem):
        for number in range(5_000):
            limits.check(visitor("10.0.0.2", f"new {number}"))


def test_a_pass_under_way_does_not_hold_the_page_up(pipe, sampler):
    """What is remembered comes at once while others wait for a pass."""
    together(sampler.sample("known", 1))
    pipe.gate.clear()

    async def main():
        waiting = asyncio.ensure_future(sampler.sample("new", 1))
        await asyncio.sleep(0.05)
        start = time.monotonic()
        known = await sampler.sample("known", 1)
        pipe.gate.set()
        await waiting
        return known.remembered and time.monotonic() - start < 10

    assert asyncio.run(main())
