"""Limits on a sound count samples over all of its channels: a few bytes may promise many channels of silence."""

import tracemalloc

import numpy as np
import pytest
from own_files import encoded, pcm

from mmgan.data.limits import Limits
from mmgan.data.media.sounds import as_flac, hear
from mmgan.errors import DataError

FRAMES = 16_000


@pytest.mark.parametrize(("kind", "subtype"), [("FLAC", "PCM_16"), ("WAV", "PCM_16"), ("CAF", "PCM_16")])
def test_eight_channels_are_eight_times_as_much(kind, subtype):
    data = pcm(np.zeros((FRAMES, 8), np.float32), 16_000, kind, subtype)
    assert hear(data, Limits(samples=8 * FRAMES)).samples.shape == (FRAMES, 8)
    with pytest.raises(DataError, match="cut it into shorter"):
        hear(data, Limits(samples=8 * FRAMES - 1))


def test_two_channels_of_a_phone_are_twice_as_much():
    data = encoded("m4a", channels=2)
    heard = hear(data)
    assert heard.samples.shape[1] == 2
    assert hear(data, Limits(samples=heard.samples.size + 4_096)).samples.size == heard.samples.size
    with pytest.raises(DataError, match="cut it into shorter"):
        hear(data, Limits(samples=heard.samples.size // 2))


def test_many_channels_are_refused_before_they_are_decoded():
    data = pcm(np.zeros((500_000, 8), np.float32), 48_000, "FLAC", "PCM_16")  # 16 MB, decoded
    tracemalloc.start()
    with pytest.raises(DataError, match="cut it into shorter"):
        hear(data, Limits(samples=500_000))
    assert len(data) < 100_000 and tracemalloc.get_traced_memory()[1] < 2 << 20
    tracemalloc.stop()


def test_what_is_kept_of_many_channels_is_one():
    data, suffix = as_flac(hear(pcm(0.1 * np.ones((2_000, 12), np.float32), 16_000, "WAV", "PCM_16")))
    assert suffix == ".flac" and hear(data).samples.shape == (2_000, 1)
