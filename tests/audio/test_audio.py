"""Griffin-Lim: its sounds have the mel they were made from, alone and in company, for any hop and length."""

import math

import numpy as np
import pytest
import torch
import torchaudio

from mmgan.audio import waveform as audio
from mmgan.audio.griffin_lim import griffin_lim, vocode
from mmgan.audio.mel import CENTER_DB, HALF_RANGE_DB, log_mel, mel_to_magnitude
from mmgan.config import AudioConfig

USUAL = AudioConfig()
CONFIGS = [USUAL, AudioConfig(num_samples=8_192, hop=192, window=1_000, bands=40), AudioConfig(num_samples=48_000)]


def tones(config, rows=3):
    """Chords with an envelope, float32 [rows, num_samples]."""
    time = torch.arange(config.num_samples) / config.sampling_rate
    pitches = torch.tensor([220.0, 440.0, 1_000.0])[:rows, None]
    chord = sum((2 * torch.pi * pitches * k * time).sin() / k for k in (1, 2, 3))
    return 0.3 * chord * torch.exp(-2 * time)


@pytest.mark.parametrize("config", CONFIGS, ids=["usual", "odd hop", "long"])
def test_a_sound_comes_back_with_its_mel(config):
    mel = log_mel(tones(config), config)
    sound = vocode(mel, config)
    assert sound.shape == (3, config.num_samples) and sound.abs().max() <= 1
    loud = mel > mel.amax(dim=(1, 2), keepdim=True) - 1  # within 40 dB of the loudest
    assert ((log_mel(sound, config) - mel).abs() * 40)[loud].mean() < 2  # decibels


def test_more_iterations_come_nearer():
    """Of noise, which has no peaks that would give its first phases away."""
    mel = log_mel(0.1 * torch.randn(2, USUAL.num_samples, generator=torch.Generator().manual_seed(0)), USUAL)
    errors = [float((log_mel(griffin_lim(mel, USUAL, n), USUAL) - mel).square().mean()) for n in (0, 8, 64)]
    assert errors[0] > errors[1] > errors[2]


def test_magnitudes_have_the_mel():
    mel = log_mel(tones(USUAL), USUAL)
    magnitude = mel_to_magnitude(mel, USUAL)
    assert magnitude.shape == (3, 513, 64) and (magnitude >= 0).all()
    filters = torchaudio.functional.melscale_fbanks(513, USUAL.f_min, USUAL.f_max, 64, 16_000, norm=None)
    wanted = 10 ** ((mel * HALF_RANGE_DB + CENTER_DB) / 20)
    wanted = torch.where(mel > -0.98, wanted, 0)  # the floor is silence
    nearer = mel_to_magnitude(mel, USUAL, rounds=32)
    plain = (torch.linalg.pinv(filters.T) @ wanted).clamp(min=1e-6)
    for _ in range(8):
        plain = plain * (filters @ wanted) / (filters @ (filters.T @ plain)).clamp(min=1e-8)
    errors = [float((filters.T @ each - wanted).norm() / wanted.norm()) for each in (nearer, magnitude, plain)]
    assert errors[0] < errors[1] < 0.1 and errors[1] < 1.1 * errors[2]


def test_nothing_is_left_behind_in_what_is_kept_between_calls():
    mel = log_mel(tones(USUAL), USUAL)
    waves = griffin_lim(mel, USUAL)
    griffin_lim(mel.flip(1), USUAL)
    assert torch.equal(waves, griffin_lim(mel, USUAL))


def test_silence_stays_silent():
    assert vocode(torch.full((1, 64, 64), -2.0)).abs().max() < 1e-3


def test_waveforms_are_the_callers_own():
    mel = log_mel(tones(USUAL), USUAL)
    first = vocode(mel)
    kept = first.clone()
    vocode(mel.flip(0))
    assert torch.equal(first, kept)


def test_a_network_may_train_on_after_sounds_were_made():
    """The filters are kept, and must not be tensors made for inference alone."""
    with torch.inference_mode():
        griffin_lim(torch.zeros(1, 64, 64), USUAL)
    wave = tones(USUAL).requires_grad_()
    log_mel(wave, USUAL).sum().backward()
    assert np.isfinite(wave.grad.numpy()).all()


@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100, 96_000])
def test_long_sounds_are_resampled_in_blocks_as_if_at_once(rate, monkeypatch):
    waveform = np.random.default_rng(0).uniform(-1, 1, 70_001).astype(np.float32)
    whole = audio.resample(waveform, rate, 16_000)
    monkeypatch.setattr(audio, "BLOCK", 20_000)
    assert audio.resample(waveform, rate, 16_000).shape == whole.shape == (math.ceil(70_001 * 16_000 / rate),)
    assert np.abs(audio.resample(waveform, rate, 16_000) - whole).max() < 1e-6
