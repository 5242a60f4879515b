"""Bad samples are mended and named; good ones are left alone, and none of them is called silent."""

import numpy as np
import pytest
from own_files import encoded, pcm, tone

from mmgan.data import load_dataset
from mmgan.data.media.cleaning import REPAIRS, clean, mono
from mmgan.data.media.sounds import hear
from mmgan.errors import DataError
from mmgan.projects.projects import Projects

GOOD = tone(16_000, level=0.5)


def spoiled(*places, value):
    samples = GOOD.copy()
    samples[list(places)] = value
    return samples


BAD = {
    "inf": ("broken", spoiled(500, value=np.inf)), "minus inf": ("broken", spoiled(500, 501, value=-np.inf)),
    "nan": ("broken", spoiled(0, 9_000, value=np.nan)), "outlier": ("broken", spoiled(77, value=3e38)),
    "a few outliers": ("broken", spoiled(1, 2, 3, 4, 5, value=-40.0)),
    "16 bits": ("scaled", np.round(GOOD * 32_767)), "24 bits": ("scaled", np.round(GOOD * (2**23 - 1))),
    "32 bits": ("scaled", np.round(GOOD.astype(np.float64) * (2**31 - 1))), "percent": ("scaled", GOOD * 100),
    "a resampled 16 bits": ("scaled", GOOD * 30_000.7), "16 bits in 32": ("scaled", np.round(GOOD * 32_767) / 2**31),
    "offset": ("offset", GOOD * 0.5 + 0.4), "negative offset": ("offset", GOOD - 0.3),
    "scaled and inf": ("scaled", np.where(np.arange(len(GOOD)) == 5, np.inf, np.round(GOOD * 32_767))),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_bad_samples_are_mended_and_named(kind):
    expected, samples = BAD[kind]
    heard = hear(pcm(samples, subtype="DOUBLE"))
    waveform = heard.waveform()
    assert heard.repaired == expected and REPAIRS[expected]
    assert np.isfinite(waveform).all() and 0.1 < np.abs(waveform).max() <= 1
    assert np.abs(np.fft.rfft(waveform[1_000:11_000])).argmax() == 275  # 440 Hz
    assert np.corrcoef(waveform[10:], GOOD[10:])[0, 1] > 0.98 and abs(waveform.mean()) < 0.02


@pytest.mark.parametrize("kind", ["inf", "16 bits", "offset"])
def test_no_way_into_mmgan_leaves_them_as_they_are(kind, tmp_path):
    expected, samples = BAD[kind]
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "bell.wav").write_bytes(pcm(samples, subtype="FLOAT"))
    (folder / "gong.mka").write_bytes(encoded("float.mka", np.tile(samples, 3)[:44_100]))
    data = load_dataset(str(folder))
    assert [(problem.file, problem.sentence) for problem in data.problems] == [
        (name, str(REPAIRS[expected])) for name in ("bell.wav", "gong.mka")
    ]
    project = Projects(tmp_path / "projects").create("Mine")
    project.add([folder])
    project.add_recordings({"clip.wav": (folder / "bell.wav").read_bytes()}, "another caption")
    for item in project.items():
        assert item.used and item.code in ("repaired", "duplicate")
        assert item.act == "look"  # never a button that deletes it
    assert {item.problem for item in project.items() if item.code == "repaired"} == {str(REPAIRS[expected])}
    exported = load_dataset(str(project.folder))  # what is kept is good, for whoever opens it
    assert not exported.problems
    for i in range(exported.num_sounds):
        assert np.isfinite(exported.sound(i)).all() and np.abs(exported.sound(i)).max() <= 1


@pytest.mark.parametrize(
    "samples",
    [GOOD, GOOD * 0.001, np.clip(GOOD * 3, -1, 1), np.abs(GOOD) ** 20, np.zeros(5_000),
     np.where(np.arange(9_000) < 100, 0.9, 0.0), GOOD[:30] + 0.3, np.round(GOOD * 127) / 128],
)  # fmt: skip
def test_good_samples_are_left_alone(samples):
    given = np.array(samples, np.float32)[:, None]
    cleaned, repaired = clean(given.copy())
    assert repaired == "" and np.array_equal(cleaned, given)


def test_a_decoders_overshoot_is_not_worth_a_word():
    cleaned, repaired = clean((GOOD * 2.4)[:, None].copy())
    assert repaired == "" and np.abs(cleaned).max() == 1


def test_what_is_hardly_a_sound_at_all():
    with pytest.raises(DataError, match="cannot be read"):
        clean(np.full((999, 1), np.nan, np.float32))
    cleaned, _ = clean(np.full((999, 2), 1e-41, np.float32))
    assert not cleaned.any()
    assert clean(np.zeros((0, 2), np.float32))[1] == ""
    cleaned, repaired = clean(np.full((9_999, 1), 0.3, np.float32))  # an offset alone is silence
    assert repaired == "offset" and np.abs(cleaned).max() < 1e-6


def test_channels_that_cancel_each_other_out(tmp_path):
    stereo = np.stack([GOOD, -GOOD], axis=1)
    assert np.array_equal(mono(stereo), GOOD)
    assert np.array_equal(mono(stereo * [[0.8, 1]]), -GOOD)
    assert np.allclose(mono(np.stack([GOOD, GOOD], axis=1)), GOOD)
    assert np.allclose(mono(np.stack([GOOD, 0 * GOOD], axis=1)), GOOD / 2)
    assert np.allclose(mono(np.stack([0 * GOOD] * 5 + [GOOD], axis=1)), GOOD)  # one speaker of six
    assert mono(np.zeros((0, 2), np.float32)).shape == (0,)
    project = Projects(tmp_path).create("Mine")
    project.add_recordings({"a.wav": pcm(stereo), "b.ogg": pcm(stereo, kind="OGG")}, "bell")
    assert [item.code for item in project.items()] == ["", ""]
    assert all(item.peak > 0.4 for item in project.items())
