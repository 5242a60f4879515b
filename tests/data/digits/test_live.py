"""What a running training is told about its samples."""

import numpy as np
import pytest
import torch
from needed import data_folder

from mmgan.audio.mel import log_mel
from mmgan.audio.waveform import fit_length
from mmgan.data import load_dataset
from mmgan.data.registry import live_judge
from mmgan.evaluation.judges import picture_input
from mmgan.hub import pretrained


def test_digits_are_judged_by_picture_and_mel():
    data_folder("digits")
    test = load_dataset("digits", "test")
    judge = live_judge("digits")
    chosen = [(int(test._images_of[d][n]), int(test._sounds_of[d][n])) for d in range(10) for n in range(6)]
    concepts = [str(d) for d in range(10) for _ in range(6)]
    images = picture_input([test.image(i) for i, _ in chosen])
    mels = log_mel(torch.stack([torch.from_numpy(fit_length(test.sound(i), 16_384)) for _, i in chosen]))
    right = judge(images, mels, concepts)
    assert right["image_accuracy"] > 0.95 and right["audio_accuracy"] > 0.95 and right["both"] > 0.9
    halves = judge(images, mels.roll(6, 0), concepts)  # every sound says another digit
    assert halves["image_accuracy"] > 0.95 and halves["audio_accuracy"] < 0.1 and halves["both"] < 0.1


def test_without_a_judge_there_is_none(monkeypatch, tmp_path):
    monkeypatch.setattr(pretrained, "PRETRAINED", tmp_path)
    assert live_judge("digits") is None


def test_each_share_counts_its_own_and_colours_are_judged_in_grey():
    data_folder("digits")
    test = load_dataset("digits", "test")
    judge = live_judge("digits")
    concepts = [str(d) for d in range(10) for _ in range(6)]
    # Pictures right below 6, sounds right from 4 to 8.
    seen = [d if d < 6 else d - 5 for d in range(10) for _ in range(6)]
    heard = [d if 4 <= d <= 8 else (d + 3) % 10 for d in range(10) for _ in range(6)]
    images = picture_input([test.image(int(test._images_of[d][n % 6])) for n, d in enumerate(seen)])
    sounds = [fit_length(test.sound(int(test._sounds_of[d][n % 6])), 16_384) for n, d in enumerate(heard)]
    mels = log_mel(torch.from_numpy(np.stack(sounds)))
    wanted = {"image_accuracy": 0.6, "audio_accuracy": 0.5, "both": 0.2}
    assert judge(images, mels, concepts) == pytest.approx(wanted, abs=0.06)
    coloured = torch.cat([images, torch.full_like(images, -1), images], 1)
    assert judge(coloured, mels, concepts)["image_accuracy"] == pytest.approx(0.6, abs=0.1)
