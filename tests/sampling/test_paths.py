"""The ways through a model: from one prompt to another, and along the parts of the latents."""

import asyncio

import numpy as np
import pytest
from test_pipeline import Encoder, folder, pipe, pixels, same  # noqa: F401 (fixtures)

from mmgan.errors import PromptError
from mmgan.sampling import paths
from mmgan.ui.sample.sampler import Sampler


def test_a_morph_leads_from_one_prompt_to_the_other(pipe):  # noqa: F811
    way = pipe.morph("a seven", "a zero", steps=5, seed=3, truncation=0.7)
    assert len(way.images) == len(way.audio) == len(way.mels) == 5
    assert way.prompts == ["a seven", "", "", "", "a zero"] and way.seeds == [3, None, None, None, 3]
    for place, prompt in ((0, "a seven"), (-1, "a zero")):
        alone = pipe(prompt, seed=3, truncation=0.7)
        assert np.array_equal(pixels(way)[place], pixels(alone)[0])
        assert np.array_equal(way.audio[place], alone.audio[0]) and np.array_equal(way.mels[place], alone.mels[0])
    lengths = np.linalg.norm(np.asarray(paths.morph(pipe, "a seven", "a zero", 5).embeddings), axis=1)
    assert np.allclose(lengths, 1, atol=1e-6)  # on the arc, not on the chord
    steps = np.abs(np.diff(way.mels, axis=0)).mean((1, 2))
    assert steps.min() > 0 and steps.max() < np.abs(way.mels[-1] - way.mels[0]).mean()


def test_a_walk_moves_one_part_at_a_time(pipe):  # noqa: F811
    way, start = pipe.walk("a seven", steps=3, seed=3), pipe("a seven", seed=3)
    assert len(way.images) == 9 and way.prompts == ["a seven"] * 9 and way.seeds == [None, 3, None] * 3
    shared, image, audio = (slice(i, i + 3) for i in (0, 3, 6))
    for part in (shared, image, audio):
        assert np.array_equal(pixels(way)[part][1], pixels(start)[0])
        assert np.array_equal(way.audio[part][1], start.audio[0])

    def moves(values):
        return [not np.array_equal(values[part][0], values[part][2]) for part in (shared, image, audio)]

    assert moves(pixels(way)) == [True, True, False] and moves(way.mels) == [True, False, True]
    rows = paths.walk(pipe, "a seven", 3, 3, 0.5).latents
    assert np.array_equal(rows[0], 0.5 * pipe.latents(1, 3)[0])  # the middle of each way, computed once
    assert len(rows) == 7 and [way[1] for way in paths.walked(3)] == [0, 0, 0]


def test_the_page_shows_what_python_gives(pipe):  # noqa: F811
    sampler = Sampler(load=lambda name: pipe, models=("small",))

    async def ask():
        return await asyncio.gather(sampler.morph("a", "b", 5, 0.5), sampler.walk("a", 5, 0.5))

    morph, walk = asyncio.run(ask())
    way, ways = pipe.morph("a", "b", seed=5, truncation=0.5), pipe.walk("a", seed=5, truncation=0.5)
    every = [sample for part in paths.PARTS for sample in walk[part].samples]
    for out, samples in ((way, morph.samples), (ways, every)):
        assert len(out.images) == len(samples)
        assert all(np.array_equal(np.asarray(a), np.asarray(b.image)) for a, b in zip(out.images, samples, strict=True))
        assert np.array_equal(out.audio, np.stack([sample.waveform for sample in samples]))


@pytest.mark.parametrize(
    "ask",
    [
        lambda p: p.morph("", "b"),
        lambda p: p.morph("a", None),
        lambda p: p.morph("a", "b", steps=1),
        lambda p: p.morph("a", "b", steps=2_000),
        lambda p: p.morph("a", "b", seed=-1),
        lambda p: p.morph("a", "b", truncation="much"),
        lambda p: p.walk(["a", "b"]),
        lambda p: p.walk("a", steps=4),
        lambda p: p.walk("a", steps=1),
        lambda p: p.walk("a", steps=342),
        lambda p: p.walk("a", seed=None),
        lambda p: p.walk("a", truncation=True),
    ],
)
def test_bad_input_is_one_sentence(pipe, ask):  # noqa: F811
    with pytest.raises(PromptError) as info:
        ask(pipe)
    assert str(info.value).endswith(".") and "\n" not in str(info.value)
