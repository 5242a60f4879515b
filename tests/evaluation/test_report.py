"""What an evaluation shows."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from mmgan.audio.spectrogram import spectrogram_image
from mmgan.errors import MmganError
from mmgan.evaluation.report import CELL, format_report, sample_sheet, write_json
from mmgan.image.pictures import to_pil

RESULT = {
    "dataset": "digits", "model": "demo", "samples": 4, "seed": 0,
    "figures": {
        "image_accuracy": {"generated": 0.975, "real": 0.996, "unit": "share", "note": "judge"},
        "audio_frechet_distance": {"generated": 12.3456, "real": float("nan"), "unit": "", "note": "4 times the floor"},
    },
    "tables": {"accuracy_per_digit": [{"digit": "7", "image": 1.0, "audio": 0.5}]},
}  # fmt: skip


def test_the_table_puts_real_beside_generated():
    text = format_report(RESULT)
    row = next(line for line in text.splitlines() if "image accuracy" in line and "97.5" in line)
    assert row.split() == ["image", "accuracy", "97.5", "%", "99.6", "%", "judge"]
    assert "12.35" in text and " - " in text and "4 times the floor" in text
    assert "accuracy per digit" in text and "50.0 %" in text


def test_json_has_no_nan(tmp_path):
    write_json(RESULT, tmp_path / "new" / "report.json")
    loaded = json.loads((tmp_path / "new" / "report.json").read_text(), parse_constant=lambda name: pytest.fail(name))
    assert loaded["figures"]["audio_frechet_distance"]["real"] is None
    assert loaded["figures"]["image_accuracy"]["generated"] == 0.975


def test_a_place_that_cannot_be_written_gives_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MmganError) as caught:
        write_json(RESULT, tmp_path / "file" / "report.json")
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_a_sheet_shows_pictures_over_spectrograms(tmp_path):
    images = torch.stack([torch.full((3, 32, 32), -1.0), torch.full((3, 32, 32), 1.0)])
    mels = np.stack([np.full((64, 64), -1.0), np.full((64, 64), 0.75)])
    captions = ["a handwritten seven that goes on and on until nobody reads it any more at all", "麻烦你帮我写个七看看"]
    sheet = sample_sheet(images, mels, captions, tmp_path / "sheet.png", title="demo")
    again = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert again.shape == (sheet.height, sheet.width, 3)
    column = again[:, 24 + CELL // 2]  # through the middle of the first sample
    black = int((column.sum(1) == 0).sum())
    assert CELL <= black < CELL + 40  # the picture, four times as large as its 32 pixels
    second = again[:, 24 + CELL + 10 + CELL // 2]
    assert (second == 255).all(1).sum() >= CELL


def test_a_sheet_of_real_pictures_without_a_row_to_fill(tmp_path):
    sheet = sample_sheet([Image.new("L", (28, 28))], np.zeros((1, 64, 64)), [""], tmp_path / "one.png")
    assert sheet.width < 200


def test_low_pitch_is_at_the_bottom_and_loud_is_bright():
    mel = np.full((64, 32), -1.0)
    mel[0] = 0.75
    picture = np.asarray(spectrogram_image(mel, scale=3)).astype(int)
    assert picture.shape == (192, 96, 3)
    assert picture[-1].sum() > 50 * picture[0].sum()
    ramp = np.linspace(-1, 0.75, 64)[:, None].repeat(4, 1)
    brightness = np.asarray(spectrogram_image(ramp, 1)).astype(int)[:, 0].sum(1)
    assert (np.diff(brightness) < 0).all()  # from the top, loud, down to the quiet


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_spectrogram_of_broken_numbers_is_still_a_picture(value):
    assert spectrogram_image(np.full((64, 8), value)).size == (16, 128)


def test_tensors_become_pictures():
    assert to_pil(torch.ones(1, 4, 4) * 9).getpixel((0, 0)) == 255
    assert to_pil(torch.tensor([1.0, 0.0, -1.0])[:, None, None].expand(3, 2, 2)).getpixel((1, 1)) == (255, 128, 0)
