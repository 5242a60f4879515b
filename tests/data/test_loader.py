import numpy as np
import pytest
import torch
from PIL import Image

from mmgan.audio.mel import log_mel
from mmgan.audio.waveform import fit_length
from mmgan.config import ModelConfig, with_values
from mmgan.data import loader as loader_module
from mmgan.data.base import Dataset, Row
from mmgan.data.loader import Batch, Loader
from mmgan.image.pictures import picture_to_array


class Toy(Dataset):
    """Ten pictures and six sounds; every third row has no picture, every fourth no sound."""

    name, num_images, num_sounds = "toy", 10, 6

    def __init__(self):
        self.decoded = []

    def image(self, index):
        self.decoded.append(index)
        return Image.fromarray(np.random.default_rng(index).integers(0, 256, (16, 16), dtype=np.uint8))

    def sound(self, index):
        return np.random.default_rng(index).uniform(-1, 1, 4_000 + 5_000 * index).astype(np.float32)

    def rows(self, rng, count):
        pictures, sounds = rng.integers(10, size=count).tolist(), rng.integers(6, size=count).tolist()
        return [
            Row(f"t{i}", "wrong", None if i % 3 == 2 else pictures[i], None if i % 4 == 3 else sounds[i], f"c{i}")
            for i in range(count)
        ]

    concepts = ()

    def image_concept(self, index):
        return "c"

    sound_concept = image_concept

    def prompts(self):
        return []


def toy_loader(seed=0, **sizes):
    return Loader(Toy(), with_values(ModelConfig(), {"image.size": 16, **sizes}), batch_size=8, seed=seed)


def same(a: Batch, b: Batch) -> bool:
    return a.texts == b.texts and all(torch.equal(x, b.rows[name]) for name, x in a.rows.items())


def test_batch_depends_on_seed_and_step_only():
    first, second = toy_loader(), toy_loader()
    for step in (5, 0, 3):
        first.batch(step)
    assert same(first.batch(7), second.batch(7))
    assert not same(first.batch(7), first.batch(8))
    assert not same(first.batch(7), toy_loader(seed=1).batch(7))


def test_batch_shapes_scales_and_what_is_missing():
    batch = toy_loader(**{"image.channels": 3, "image.size": 32}).batch(0)
    assert batch.rows["image"].shape == (8, 3, 32, 32) and batch.rows["image"].dtype == torch.float32
    assert batch.rows["audio"].shape == (8, 64, 64) and batch.rows["audio"].dtype == torch.float32
    assert batch.has["image"].tolist() == [i % 3 != 2 for i in range(8)]
    assert batch.has["audio"].tolist() == [i % 4 != 3 for i in range(8)]
    assert batch.rows["image"].abs().max() <= 1 and batch.rows["image"][batch.has["image"]].std() > 0.1
    assert (batch.rows["image"][~batch.has["image"]] == 0).all() and (
        batch.rows["audio"][~batch.has["audio"]] == -1
    ).all()
    assert batch.texts[0] == "t0" and batch.wrong_texts == ["wrong"] * 8 and batch.concepts[7] == "c7"


def test_rows_without_any_picture_or_sound():
    loader = toy_loader()
    loader.dataset.rows = lambda rng, count: [Row("t", "w", None, None, "c")] * count
    batch = loader.batch(0)
    assert not batch.has["image"].any() and not batch.has["audio"].any() and batch.rows["image"].shape == (8, 1, 16, 16)


def test_values_are_those_of_the_bank():
    loader = toy_loader()
    images, mels = loader.rows("image", [3, 3, 1]), loader.rows("audio", [5, 0])
    expected = np.asarray(Toy().image(3)).astype(np.float32) / 127.5 - 1
    torch.testing.assert_close(images[0, 0], torch.from_numpy(expected), atol=1e-6, rtol=0)
    assert torch.equal(images[0], images[1])
    sounds = np.stack([fit_length(Toy().sound(i), 16_384) for i in (5, 0)])
    torch.testing.assert_close(mels, log_mel(torch.from_numpy(sounds)), atol=6e-4, rtol=0)


def test_taken_items_are_copies():
    loader = toy_loader()
    loader.rows("audio", [1]).fill_(9)
    loader.rows("image", [1]).fill_(9)
    assert loader.rows("audio", [1]).max() < 2 and loader.rows("image", [1]).max() <= 1


def test_each_picture_is_decoded_once():
    loader = toy_loader()
    loader.rows("image", [1, 2, 1])
    loader.rows("image", [2, 1, 4])
    assert loader.dataset.decoded == [1, 2, 4]


def test_beyond_the_cache_nothing_changes_but_speed(monkeypatch):
    expected = toy_loader().rows("image", range(10))
    monkeypatch.setattr(loader_module, "CACHE_BYTES", 3 * 16 * 16)
    monkeypatch.setattr(loader_module, "CHUNK", 2)
    loader = toy_loader()
    order = [9, 0, 2, 3, 8, 1, 9, 4, 5, 6, 7]
    assert torch.equal(loader.rows("image", order), expected[order])
    loader.rows("image", order)
    assert loader.dataset.decoded.count(0) == 1 and loader.dataset.decoded.count(8) == 2


def test_audio_at_another_rate_and_length():
    changes = {"audio.sampling_rate": 8_000, "audio.num_samples": 8_192, "audio.f_max": 4_000.0}
    assert toy_loader(**changes).batch(0).rows["audio"].shape == (8, 64, 32)


def test_slices_of_a_batch_are_what_processes_share():
    batch = toy_loader().batch(0)
    parts = [batch.slice(0, 3), batch.slice(3, 8)]
    assert [len(part) for part in parts] == [3, 5]
    assert torch.equal(torch.cat([part.rows["audio"] for part in parts]), batch.rows["audio"])
    assert parts[1].texts == batch.texts[3:] and torch.equal(parts[1].has["audio"], batch.has["audio"][3:])
    assert batch.to("cpu").texts == batch.texts


@pytest.mark.parametrize(("size", "factor", "margin"), [(32, 1, 2), (64, 2, 4), (128, 4, 8)])
def test_a_digit_is_enlarged_by_whole_factors_and_padded(size, factor, margin):
    digit = np.zeros((28, 28), dtype=np.uint8)
    digit[4:24, 10:18] = 255
    picture = picture_to_array(Image.fromarray(digit), size, 1)
    assert picture.shape == (1, size, size) and picture.dtype == np.uint8
    inside = picture[0, margin:-margin, margin:-margin]
    assert inside.shape == (28 * factor, 28 * factor)
    assert picture.astype(int).sum() == inside.astype(int).sum()  # black around it
    if factor == 1:
        assert (inside == digit).all()


def test_plain_background_is_padded_with_its_own_colour():
    picture = Image.new("RGB", (100, 50), (10, 200, 30))
    picture.paste((255, 0, 0), (20, 10, 80, 40))
    array = picture_to_array(picture, 32, 3)
    assert array[:, 0, 0].tolist() == array[:, 31, 31].tolist() == [10, 200, 30]
    assert array[0, 16, 16] == 255


def test_a_photograph_is_cropped_to_its_centre():
    noise = np.random.default_rng(0).integers(0, 256, (64, 128, 3), dtype=np.uint8)
    noise[:, 32:96] = [0, 0, 255]
    noise[::2, 32:96] = [0, 255, 0]
    noise[[0, -1], 32:96] = np.random.default_rng(1).integers(0, 256, (2, 64, 3), dtype=np.uint8)
    array = picture_to_array(Image.fromarray(noise), 32, 3)
    assert array[0, 4:-4].max() < 10  # no red: only the central square, which has none, is left


def test_transparency_is_flattened_on_white():
    picture = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    assert (picture_to_array(picture, 32, 3) == 255).all()
    palette = Image.new("P", (32, 32), 0)
    palette.info["transparency"] = 0
    assert (picture_to_array(palette, 32, 1) == 255).all()


def test_exif_orientation_is_applied():
    pixels = np.zeros((32, 32, 3), dtype=np.uint8)
    pixels[:16] = 255  # white above
    picture = Image.fromarray(pixels)
    picture.getexif()[0x0112] = 3  # stored upside down
    assert picture_to_array(picture, 32, 1)[0, 0].max() == 0
    assert picture_to_array(picture, 32, 1)[0, -1].min() == 255


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I", "I;16", "F"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_mode_of_picture(mode, channels):
    assert picture_to_array(Image.new(mode, (20, 30)), 16, channels).shape == (channels, 16, 16)


def test_sixteen_bits_keep_their_shades():
    ramp = np.tile(np.linspace(0, 65_535, 32).astype(np.uint16), (32, 1))
    array = picture_to_array(Image.fromarray(ramp), 32, 1)[0, 0]
    assert array[0] == 0 and array[-1] == 255 and 120 < array[16] < 136


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 2)])
def test_odd_sizes(size):
    for picture in (Image.new("RGB", size, "red"), Image.effect_noise(size, 100)):
        assert picture_to_array(picture, 32, 3).shape == (3, 32, 32)
