"""The vocoder: any length, the same alone and in company, a tone that lasts, and a network that learns."""

import pytest
import torch

from mmgan.audio.mel import log_mel
from mmgan.config import AudioConfig
from mmgan.models.vocoder import Vocoder, VocoderConfig

SMALL = VocoderConfig(width=32, hidden=48, blocks=2, phase_bins=40)


def vocoder(config=SMALL):
    torch.manual_seed(0)
    return Vocoder(config).eval()


def sounds(samples=16_384, rows=4):
    """A tone, a chord, noise and a click: float32 [rows, samples]."""
    draw = torch.Generator().manual_seed(1)
    time = torch.arange(samples) / 16_000
    tone = 0.4 * (2 * torch.pi * 443 * time).sin()
    chord = sum(0.2 * (2 * torch.pi * pitch * time).sin() for pitch in (220, 277, 330)) * (-3 * time).exp()
    click = torch.zeros(samples)
    click[samples // 2] = 0.9
    return torch.stack([tone, chord, 0.1 * torch.randn(samples, generator=draw), click])[:rows]


def mels(samples=16_384, rows=4):
    return log_mel(sounds(samples, rows), AudioConfig(num_samples=samples))


@pytest.mark.parametrize("frames", [1, 2, 3, 7, 64, 250])
def test_any_number_of_frames_gives_as_many_hops(frames):
    mel = mels(64_000, 2)[..., :frames]
    wave = vocoder().vocode(mel)
    assert wave.shape == (2, frames * 256) and wave.dtype == torch.float32
    assert wave.isfinite().all() and wave.abs().max() <= 1


def test_no_clip_gives_no_sound():
    assert vocoder().vocode(torch.zeros(0, 64, 10)).shape == (0, 2_560)


@pytest.mark.parametrize("frames", [5, 64, 65])
def test_bit_for_bit_the_same_alone_and_in_any_batch(frames):
    network, mel = vocoder(VocoderConfig()), mels()
    mel = torch.cat([mel, mel], dim=2)[..., :frames]
    together = network.vocode(mel)
    for order in ([0], [3], [2, 1], [3, 2, 1, 0], [1, 1, 1]):
        assert torch.equal(network.vocode(mel[order]), together[order])
    strided = torch.stack([mel] * 2, dim=3)[..., 0]  # the same numbers, elsewhere in memory
    assert torch.equal(network.vocode(strided), together)


def test_training_sees_what_vocode_gives():
    network, mel = vocoder(), mels()
    assert torch.allclose(network(mel).clamp(-1, 1), network.vocode(mel), atol=1e-5)


def test_the_same_seed_gives_the_same_network():
    assert torch.equal(vocoder().vocode(mels()), vocoder().vocode(mels()))


@pytest.mark.parametrize("level", [-1.0, -2.0, -100.0])
def test_silence_stays_silent(level):
    assert vocoder().vocode(torch.full((1, 64, 20), level)).abs().max() < 1e-3


@pytest.mark.parametrize("level", [3.0, 1e4])
def test_absurdly_loud_mels_stay_finite(level):
    wave = vocoder().vocode(torch.full((1, 64, 20), level))
    assert wave.isfinite().all() and wave.abs().max() <= 1


def test_a_steady_tone_keeps_its_pitch():
    """443 Hz is no multiple of the frame rate, 62.5 Hz: a convolution alone could not sound it."""
    mel = mels(32_000, 1)
    wave = vocoder().vocode(mel)[0, 8_000:24_000]
    spectrum = torch.fft.rfft(wave * torch.hann_window(len(wave))).abs()
    near = spectrum[435:452].square().sum() / spectrum.square().sum()  # bins of 1 Hz
    assert abs(int(spectrum.argmax()) - 443) <= 8 and near > 0.5


def test_corrections_bring_the_mel_nearer():
    mel = mels()
    errors = []
    for corrections in (0, 1, 3):
        config = VocoderConfig(width=32, hidden=48, blocks=2, corrections=corrections)
        errors.append(float((log_mel(vocoder(config).vocode(mel)) - mel).abs().mean()))
    assert errors[0] > 1.5 * errors[1] > 1.5 * errors[2]


def test_every_parameter_learns():
    network = vocoder()
    (log_mel(network(mels())) - mels()).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all() and parameter.grad.abs().max() > 0, name


def test_a_few_steps_bring_the_mel_nearer():
    network, mel = vocoder(), mels(8_192)
    config = AudioConfig(num_samples=8_192)
    optimiser = torch.optim.AdamW(network.parameters(), 2e-3)
    errors = []
    for _ in range(25):
        loss = (log_mel(network(mel), config) - mel).abs().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        errors.append(float(loss.detach()))
    assert errors[-1] < 0.8 * errors[0]


def test_training_goes_on_after_sounds_were_made():
    network = vocoder()
    with torch.inference_mode():
        network.vocode(mels())
    network(mels()).square().sum().backward()


@pytest.mark.parametrize("audio", [{"hop": 192}, {"window": 256, "hop": 256}])
def test_frames_that_do_not_add_up_are_refused(audio):
    with pytest.raises(ValueError, match="window"):
        Vocoder(VocoderConfig(audio=AudioConfig(**audio)))


def test_other_windows_and_bands():
    audio = AudioConfig(num_samples=12_000, window=512, hop=128, bands=40)
    mel = log_mel(sounds(12_000), audio)
    network = vocoder(VocoderConfig(audio=audio, width=32, hidden=48, blocks=1))
    wave = network.vocode(mel)
    assert wave.shape == (4, 93 * 128)
