"""What a running training is told about its samples."""

import torch
from needed import data_folder

from mmgan.audio import fit_length, log_mel
from mmgan.data import load_dataset
from mmgan.evaluation import judges
from mmgan.evaluation.judges import picture_input
from mmgan.evaluation.live import live_judge


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
    monkeypatch.setattr(judges, "PRETRAINED", tmp_path)
    assert live_judge("digits") is None
