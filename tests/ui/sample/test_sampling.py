"""Requests that share forward passes, and the limits of one page."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from fakes import FakePipeline

from mmgan.config import PRESETS
from mmgan.errors import CheckpointError, PromptError
from mmgan.sampling.paths import MORPH_STEPS, PARTS, WALK_STEPS
from mmgan.ui.sample import batching
from mmgan.ui.sample import sampler as sampling
from mmgan.ui.sample.batching import ADDRESS_ROWS, FEWEST_ROWS, ROWS, VISITOR_ROWS, Batcher, Batchers, rows_of
from mmgan.ui.sample.sampler import Sampler
from mmgan.ui.server.quota import Buckets, Quota
from mmgan.ui.server.sentences import PageError, sentence
from mmgan.ui.server.turns import Visitor


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


def run(coroutine):
    """What it returns, in a thread of its own: Playwright keeps a loop going in this one, and two cannot be."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def together(*coroutines):
    async def main():
        return await asyncio.gather(*coroutines, return_exceptions=True)

    return run(main())


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

    return run(main())


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
    assert tuple(ways) == PARTS and {len(way.samples) for way in ways.values()} == {WALK_STEPS}
    start = sample.samples[0]
    for code, way in ways.items():
        assert way.samples[WALK_STEPS // 2].image == start.image
        pictures = [step.image == start.image for step in way.samples]
        sounds = [np.array_equal(step.waveform, start.waveform) for step in way.samples]
        assert all(pictures) == (code == "audio") and all(sounds) == (code == "image")


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"prompt": ""}, "Type a sentence"),
        ({"prompt": None}, "A prompt should be a sentence"),
        ({"prompt": "x" * 5_000}, "shorten it to at most 1,000"),
        ({"num_samples": 17}, "number of samples should be a whole number from 1 to 16, not 17"),
        ({"num_samples": 1.5}, "number of samples"),
        ({"num_samples": True}, "number of samples"),
        ({"seed": -1}, "seed should be a whole number from 0 to 4,294,967,295"),
        ({"seed": "1"}, "seed should be"),
        ({"truncation": 2}, "from 0 to 1, not 2"),
        ({"truncation": float("nan")}, "Truncation should be"),
        ({"model": "../digits"}, "There is no model"),
        ({"model": "runs/none"}, "There is no model"),
    ],
)
def test_bad_requests_are_one_sentence_in_both_languages(sampler, settings, words):
    (error,) = together(sampler.sample(**{"prompt": "a", **settings}))
    assert isinstance(error, PromptError) and words in str(error)
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
    buckets = Buckets(3, 2.0, clock=lambda: now[0])
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 0]
    assert buckets.take("a") == pytest.approx(0.5) and buckets.take("b") == 0
    now[0] = 0.6
    assert buckets.take("a") == 0 and buckets.take("a") > 0


def test_a_class_behind_one_address_is_not_held_up_by_one_of_them():
    quota = Quota()
    with pytest.raises(PageError, match="wait"):
        for _ in range(50):
            quota.check(visitor("10.0.0.1", "hasty"))
    for student in range(40):
        for _ in range(5):
            quota.check(visitor("10.0.0.1", f"student {student}"))


def test_a_script_that_renames_itself_is_held_up():
    quota = Quota()
    with pytest.raises(PageError):
        for number in range(5_000):
            quota.check(visitor("10.0.0.2", f"new {number}"))


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

    assert run(main())


# Visitors take turns -------------------------------------------------------------------------------------------------

HASTY, OTHER = Visitor("10.0.0.1", "hasty"), Visitor("10.0.0.1", "other")


def test_whoever_asks_for_much_does_not_come_before_the_next(pipe):
    """One visitor has all that one may have in the queue; the next one's samples are in the very next pass."""
    batcher, order = Batcher(), []

    def rows(name, count):
        return lambda: order.append(name) or (pipe.embed([name] * count), pipe.latents(count))

    pipe.gate.clear()
    hasty = [batcher.submit(pipe, rows(f"hasty {i}", 16), 16, visitor=HASTY) for i in range(20)]
    while not pipe.passes:
        time.sleep(0.01)
    other = batcher.submit(pipe, rows("other", 4), 4, visitor=OTHER)
    pipe.gate.set()
    assert len(other.result(20).images) == 4 and other.result().company == 2
    assert [len(future.result(20).images) for future in hasty] == [16] * 20
    assert order[:3] == ["hasty 0", "other", "hasty 1"] and max(pipe.passes) == VISITOR_ROWS + 4


def test_one_address_leaves_room_for_the_next(pipe):
    batcher, made = Batcher(), []
    pipe.gate.clear()
    first = batcher.submit(pipe, lambda: (pipe.embed(["a"]), pipe.latents(1)), 1)
    while not pipe.passes:
        time.sleep(0.01)
    visitors = [Visitor("10.0.0.1", f"renamed {i}") for i in range(30)] + [Visitor("10.0.0.2", "far")]
    for visitor in visitors:
        rows = lambda: (pipe.embed(["a"] * 4), pipe.latents(4))  # noqa: E731
        made.append(batcher.submit(pipe, rows, 4, visitor=visitor))
    pipe.gate.set()
    first.result(20)
    assert made[-1].result(20).company == ADDRESS_ROWS // 4 + 1
    assert [future.result(20).company for future in made[:8]] == [ADDRESS_ROWS // 4 + 1] * 8


def test_what_is_made_in_several_passes_is_the_same(pipe, sampler):
    (apart,) = together(sampler.walk("a", seed=3, visitor=HASTY))
    assert pipe.passes == [8, 8, 8, 1]
    (at_once,) = together(Sampler(load=FakePipeline, models=("digits",)).walk("a", seed=3))
    for code in PARTS:
        for one, other in zip(apart[code].samples, at_once[code].samples, strict=True):
            assert np.array_equal(one.waveform, other.waveform) and one.image == other.image


def test_a_costly_model_has_small_passes_in_a_thread_of_its_own():
    cheap, costly = Counting(), Counting()
    costly.config = PRESETS["large"]
    batchers = Batchers()
    assert rows_of(cheap) == ROWS and FEWEST_ROWS <= rows_of(costly) < 10
    costly.gate.clear()
    waiting = batchers.submit(costly, lambda: (costly.embed(["a"] * 16), torch.zeros(16, 6)), 16)
    while not costly.passes:
        time.sleep(0.01)
    done = batchers.submit(cheap, lambda: (cheap.embed(["a"]), cheap.latents(1)), 1).result(20)  # while that is held
    costly.gate.set()
    assert len(done.images) == 1 and len(waiting.result(20).images) == 16 and max(costly.passes) == rows_of(costly)


def test_a_part_that_fails_is_the_end_of_its_request_alone(pipe):
    batcher = Batcher()
    latents = torch.zeros(16, 6)
    latents[12] = 1e3
    failing = batcher.submit(pipe, lambda: (pipe.embed(["a"] * 16), latents), 16, visitor=HASTY)
    with pytest.raises(RuntimeError):
        failing.result(20)
    good = batcher.submit(pipe, lambda: (pipe.embed(["a"] * 16), torch.zeros(16, 6)), 16, visitor=HASTY)
    assert len(good.result(20).images) == 16


def test_what_is_remembered_is_bounded_in_bytes(sampler, monkeypatch):
    (one,) = together(sampler.sample("prompt 0", 2))
    monkeypatch.setattr(sampling, "KEPT_BYTES", 3 * one.size)
    for number in range(1, 6):
        together(sampler.sample(f"prompt {number}", 2))
    assert len(sampler._kept) == 3


def test_what_was_asked_for_twice_at_a_time_counts_once(sampler, monkeypatch):
    together(*(sampler.sample("twice", 2) for _ in range(3)))
    (one,) = together(sampler.sample("once", 2))
    monkeypatch.setattr(sampling, "KEPT_BYTES", 2 * one.size)
    together(sampler.sample("once more", 2))
    assert len(sampler._kept) == 2
    assert together(sampler.sample("once", 2))[0].remembered


@pytest.mark.parametrize("number", [2, 16])
def test_who_computes_draws_and_writes_too(sampler, monkeypatch, number):
    drawn, real = [], sampling._samples
    monkeypatch.setattr(sampling, "_samples", lambda *v: drawn.append(threading.current_thread().name) or real(*v))
    (result,) = together(sampler.sample("a", number))
    assert len(result.samples) == number and drawn[0].startswith(("mmgan-sampling", "mmgan-worker"))
    monkeypatch.setattr(sampling, "png_uri", None)
    monkeypatch.setattr(sampling, "wav_uri", None)
    for sample in result.samples:  # nothing is left to write
        assert all(uri.startswith("data:") for uri in (sample.image_uri, sample.audio_uri, sample.spectrogram_uri))


def test_samples_that_cannot_be_drawn_are_the_end_of_their_request_alone(pipe):
    batcher = Batcher()

    def ask(finish):
        return batcher.submit(pipe, lambda: (pipe.embed(["a"]), pipe.latents(1)), 1, finish=finish)

    pipe.gate.clear()
    waiting = [ask(None), *(ask(finish) for finish in (lambda made: 1 / 0, lambda made: len(made.images)))]
    pipe.gate.set()
    first, failed, drawn = waiting
    with pytest.raises(ZeroDivisionError):
        failed.result(20)
    assert drawn.result(20) == 1 and len(first.result(20).images) == 1


def test_a_pass_waits_for_who_comes_soon_after_one_another(pipe, monkeypatch):
    for name, seconds in (("GATHER_FIRST", 0.5), ("GATHER_NEXT", 1.5), ("GATHER_MOST", 2.5)):
        monkeypatch.setattr(batching, name, seconds)
    batcher, end = Batcher(), time.monotonic() + 30

    def ask():
        return batcher.submit(pipe, lambda: (pipe.embed(["a"]), pipe.latents(1)), 1)

    assert ask().result(20).company == 1
    first, _ = ask(), ask()
    time.sleep(1.0)
    ask()
    while not first.done() and time.monotonic() < end:  # others come on and on, and have the next pass
        ask()
        time.sleep(0.1)
    assert first.result(0).company >= 3
