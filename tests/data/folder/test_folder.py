"""A dataset of files: what is decoded, left out, held out and drawn."""

import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from own_files import COLOURS, draw, picture, sound, write_metadata
from PIL import Image

from mmgan.audio.waveform import write_wav
from mmgan.config import AudioConfig, ModelConfig, with_values
from mmgan.data import load_dataset
from mmgan.data.base import Example
from mmgan.data.folder.dataset import Folder
from mmgan.data.folder.export import export_dataset
from mmgan.data.loader import Loader
from mmgan.data.media.cutting import loudest_part
from mmgan.errors import DataError


def test_broken_files_are_named_and_left_out(tmp_path):
    for name in ("a", "b", "c", "d"):
        picture(tmp_path / f"{name}.png")
        sound(tmp_path / f"{name}.wav")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:45])
    (tmp_path / "b.wav").write_bytes(b"RIFFnothing")
    write_wav(tmp_path / "c.wav", np.zeros(1000), 16_000)
    (tmp_path / "d.png").write_bytes(b"")
    (tmp_path / "d.wav").write_bytes(b"")
    data = Folder(tmp_path)
    assert [problem.file for problem in data.problems] == ["a.png", "b.wav", "c.wav", "d.png", "d.wav"]
    assert data.concepts == ["a", "b", "c"] and data.num_images == 2 and data.num_sounds == 1
    batch = Loader(data, with_values(ModelConfig(), {"image.size": 16, "image.channels": 3}), 16, 0).batch(0)
    assert (batch.has["image"] | batch.has["audio"]).all() and not (batch.has["image"] & batch.has["audio"]).any()


def test_random_damage_to_a_zip_gives_a_sentence_or_a_dataset(tmp_path):
    for name in COLOURS:
        picture(tmp_path / "d" / f"{name}.jpg", name)
        sound(tmp_path / "d" / f"{name}.flac")
    write_metadata(
        tmp_path / "d", "text,file_name,audio_file_name\n" + "\n".join(f"{n},{n}.jpg,{n}.flac" for n in COLOURS)
    )
    with zipfile.ZipFile(tmp_path / "d.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((tmp_path / "d").iterdir()):
            archive.write(path, path.name)
    whole, rng, opened = (tmp_path / "d.zip").read_bytes(), np.random.default_rng(0), 0
    for _ in range(100):
        data = np.frombuffer(whole, dtype=np.uint8).copy()
        places = rng.integers(len(data), size=rng.integers(1, 6))
        if rng.random() < 0.5:  # among the names and sizes
            places = len(data) - 1 - rng.integers(600, size=len(places))
        data[places] = rng.integers(0, 256, len(places))
        (tmp_path / "d.zip").write_bytes(data.tobytes())
        try:
            opened += Folder(tmp_path / "d.zip").num_images > 0
        except DataError as error:
            assert "\n" not in str(error)
    assert opened > 20


def test_nothing_usable_is_one_sentence(tmp_path):
    for content in ({}, {"a.png": b"broken"}, {"notes.docx": b"x"}):
        for name, data in content.items():
            (tmp_path / name).write_bytes(data)
        with pytest.raises(DataError, match="no picture or sound that can be used") as error:
            Folder(tmp_path)
        assert str(error.value).count(". ") == 0


def test_a_sound_that_promises_gigabytes(tmp_path):
    header = b"RIFF" + struct.pack("<I", 2**31) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 2, 48_000, 192_000, 4, 8)
    with (tmp_path / "bomb.wav").open("wb") as file:
        file.write(header + b"data" + struct.pack("<I", 2**31 - 64))
        file.truncate(64_000_400)  # a sparse file
    picture(tmp_path / "a.png")
    data = Folder(tmp_path)
    assert [problem.file for problem in data.problems] == ["bomb.wav"] and "10 minutes" in data.problems[0].sentence


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3"])
@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (44_100, 2)])
def test_sounds_of_every_kind(tmp_path, suffix, rate, channels):
    sound(tmp_path / f"beep{suffix}", 1_000, 0.5, rate, channels)
    waveform = Folder(tmp_path).sound(0)
    spectrum = np.abs(np.fft.rfft(waveform[:8_000], 16_000))
    assert waveform.dtype == np.float32 and waveform.ndim == 1
    assert abs(len(waveform) - 8_000) < 1_500 and abs(int(spectrum.argmax()) - 1_000) <= 3


def test_odd_rates_of_sound(tmp_path):
    sound(tmp_path / "a.wav", 1_000, 0.5, 44_101)
    sound(tmp_path / "b.wav", 100, 0.5, 1_000)
    data = Folder(tmp_path)
    assert abs(len(data.sound(0)) - 8_000) < 10
    assert [problem.file for problem in data.problems] == ["b.wav"] and "1,000 Hz" in data.problems[0].sentence


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".gif", ".bmp"])
def test_pictures_of_every_kind(tmp_path, suffix):
    picture(tmp_path / f"green{suffix.upper()}", "green", (40, 30))
    pixel = Folder(tmp_path).image(0).getpixel((5, 5))
    assert pixel[1] > 100 and pixel[0] < 30 and pixel[2] < 30


def test_photographs_are_turned_and_kept_small(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(tmp_path / "a.jpg", "red", (3_000, 2_000), exif=exif)
    assert Folder(tmp_path).image(0).size == (256, 384)


def test_grey_or_colour(tmp_path):
    picture(tmp_path / "a.jpg", (90, 90, 90))
    Image.new("L", (8, 8), 3).save(tmp_path / "b.png")
    assert Folder(tmp_path).image_channels == 1
    picture(tmp_path / "c.png", "red")
    assert Folder(tmp_path).image_channels == 3


def test_long_sounds_give_their_loudest_part(tmp_path):
    rng = np.random.default_rng(0)
    wave = rng.normal(0, 0.01, 80_000)
    wave[40_000:56_000] += rng.normal(0, 0.3, 16_000)
    write_wav(tmp_path / "a.wav", wave, 16_000)
    assert len(Folder(tmp_path).sound(0)) == 16_384
    assert Folder(tmp_path).sound(0).std() > 0.25
    assert len(Folder(tmp_path, audio=AudioConfig(num_samples=65_536)).sound(0)) == 65_536
    steady = np.ones(50_000, dtype=np.float32)
    steady[0] = 0.5
    assert loudest_part(steady, 1_000)[0] == 0.5  # of equals the first
    assert loudest_part(np.append(np.zeros(1_001), 1).astype(np.float32), 1_000)[-1] == 1


def test_long_sounds_in_pieces_none_of_which_is_held_out_while_others_train(tmp_path, monkeypatch):
    for i in range(20):  # each of three seconds, each second of a pitch of its own
        (tmp_path / f"bell {'ab'[i % 2]}").mkdir(exist_ok=True)
        waves = [0.5 * np.sin(2 * np.pi * (300 + 100 * i + 20 * k) * np.arange(16_384) / 16_000) for k in range(3)]
        write_wav(tmp_path / f"bell {'ab'[i % 2]}" / f"{i}.wav", np.concatenate(waves), 16_000)
    train, test = Folder(tmp_path, pieces=True), Folder(tmp_path, "test", pieces=True)
    assert (train.num_sounds, test.num_sounds) == (54, 6) and len(Folder(tmp_path).concepts) == 2
    assert Folder(tmp_path).num_sounds == 18

    def pitches(data):
        spectra = [np.abs(np.fft.rfft(data.sound(i))) for i in range(data.num_sounds)]
        return {round(int(spectrum.argmax()) * 16_000 / 16_384 / 20) * 20 for spectrum in spectra}

    heard = pitches(test)
    assert len(heard) == 6 and not heard & pitches(train)
    assert all({first, first + 20, first + 40} <= heard for first in heard if first % 100 == 0)
    monkeypatch.setattr("mmgan.data.folder.dataset.KEPT_BYTES", 0)  # read again at each use
    assert pitches(Folder(tmp_path, "test", pieces=True)) == heard


def test_a_tenth_is_held_out_and_never_trained_on(tmp_path):
    for i in range(40):
        picture(tmp_path / f"thing{i % 4}" / f"p{i}.png", (i, 0, 200))
        sound(tmp_path / f"thing{i % 4}" / f"s{i}.wav", 300 + 10 * i)
    train, test, whole = Folder(tmp_path), Folder(tmp_path, "test"), Folder(tmp_path, "all")
    assert (train.num_images, test.num_images, whole.num_images) == (36, 4, 40)
    assert (train.num_sounds, test.num_sounds) == (36, 4) and len(train.concepts) == 4

    def names(data):
        return {data.image(i).getpixel((0, 0)) for i in range(data.num_images)}

    assert not names(train) & names(test) and names(train) | names(test) == names(whole)
    assert names(Folder(tmp_path, "test")) == names(test)


def test_held_out_rows_spare_captions_with_one_row_and_shared_files(tmp_path):
    for i in range(30):
        picture(tmp_path / f"{i}.png", (i, 0, 200))
    sound(tmp_path / "s.wav")
    rows = [f"{'often' if i < 10 else f'once {i}'},{i}.png,s.wav" for i in range(30)]
    write_metadata(tmp_path, "text,file_name,audio_file_name\n" + "\n".join(rows))
    train, test = Folder(tmp_path), Folder(tmp_path, "test")
    assert len(train.concepts) == 21 and test.concepts == ["often"] and test.num_images == 3
    assert train.num_sounds == 1 and test.num_sounds == 0


def test_small_datasets_hold_nothing_out(tmp_path):
    for i in range(19):
        picture(tmp_path / f"word{chr(97 + i)}.png")
    assert Folder(tmp_path).num_images == 19
    with pytest.raises(DataError, match="use split 'all'"):
        Folder(tmp_path, "test")
    with pytest.raises(DataError, match="train, test or all"):
        Folder(tmp_path, "valid")


def test_spellings_of_one_caption_are_one_concept(tmp_path):
    for name in ("Dog", "dog", "cat"):
        picture(tmp_path / f"{name}.png" if os.path.normcase("A") == "A" else tmp_path / f"{name}" / "a.png")
    data = Folder(tmp_path)
    assert len(data.concepts) == 2 and {prompt.text for prompt in data.prompts()} == {"Dog", "dog", "cat"}
    assert all(row.wrong_text == "cat" for row in draw(data) if row.text.lower() == "dog")


def test_rows_repeat_from_the_same_state(tmp_path):
    for name in COLOURS:
        picture(tmp_path / f"{name}.png", name)
    data = Folder(tmp_path)
    assert draw(data) == draw(Folder(tmp_path)) != data.rows(np.random.default_rng(1), 200)
    assert {(row.text, row.wrong_text) for row in draw(data)} == {(a, b) for a in COLOURS for b in COLOURS if a != b}


def test_a_zip_is_as_its_folder_and_may_vanish_once_opened(tmp_path):
    for name in COLOURS:
        picture(tmp_path / "d" / f"{name}.png", name)
        sound(tmp_path / "d" / f"{name}.wav")
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        for path in (tmp_path / "d").iterdir():
            archive.write(path, path.relative_to(tmp_path))
        archive.writestr("d/inner.zip", b"PK")
    zipped, folder = load_dataset(str(tmp_path / "d.zip")), Folder(tmp_path / "d")
    (tmp_path / "d.zip").unlink()
    assert zipped.concepts == folder.concepts and draw(zipped) == draw(folder)
    assert zipped.image(0).tobytes() == folder.image(0).tobytes() and (zipped.sound(1) == folder.sound(1)).all()
    assert [problem.file for problem in zipped.problems] == ["d/inner.zip"]


def test_more_than_is_kept_is_read_again(tmp_path, monkeypatch):
    for name in COLOURS:
        picture(tmp_path / f"{name}.png", name)
        sound(tmp_path / f"{name}.wav")
    monkeypatch.setattr("mmgan.data.folder.dataset.KEPT_BYTES", 0)
    data = Folder(tmp_path)
    assert data.image(0).getpixel((0, 0)) == COLOURS["blue"] and len(data.sound(0)) == 3_200
    (tmp_path / "blue.png").unlink()
    with pytest.raises(DataError, match=r"blue\.png cannot be opened"):
        data.image(0)


def test_what_a_caller_changes_stays_with_the_caller(tmp_path):
    picture(tmp_path / "a.png")
    sound(tmp_path / "a.wav")
    data = Folder(tmp_path)
    data.sound(0)[:] = 0
    data.image(0).putpixel((0, 0), (9, 9, 9))
    assert data.sound(0).any() and data.image(0).getpixel((0, 0)) == (255, 0, 0)


def test_export_loads_again(tmp_path):
    tone = (0.5 * np.sin(np.arange(4_000) / 5)).astype(np.float32)
    examples = [
        Example('a "red", 苹果', Image.new("RGB", (20, 20), "red"), tone),
        Example("only a picture", Image.new("L", (20, 20), 7), None),
        Example("=only a sound", None, tone / 2),
    ]
    assert export_dataset(iter(examples), tmp_path / "out") == 3
    data = Folder(tmp_path / "out")
    assert not data.problems and set(data.concepts) == {example.text for example in examples}
    first = data.example(next(row for row in draw(data) if row.text == examples[0].text))
    assert first.image.getpixel((3, 3)) == (255, 0, 0)
    np.testing.assert_allclose(first.audio, tone, atol=1e-4)
    export_dataset(examples[2:], tmp_path / "sounds")
    assert (tmp_path / "sounds" / "metadata.csv").read_text() == "text,file_name\n'=only a sound,audio/00000.wav\n"
    with pytest.raises(DataError, match="already holds files"):
        export_dataset(examples, tmp_path / "out")
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError):
        export_dataset(examples, tmp_path / "file" / "out")


@pytest.mark.skipif(
    not (Path(os.environ.get("MMGAN_DATA", "")) / "digits" / "digits_sample.zip").is_file(),
    reason="needs $MMGAN_DATA/digits",
)
def test_the_digits_sample():
    data = Folder(Path(os.environ["MMGAN_DATA"]) / "digits" / "digits_sample.zip", "all")
    assert data.num_images == data.num_sounds == 40 and data.image_channels == 1 and not data.problems
    batch = Loader(data, ModelConfig(), 32, 0).batch(0)
    assert batch.has["image"].all() and batch.has["audio"].all() and batch.rows["audio"].max() > 0
