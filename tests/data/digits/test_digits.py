"""The digits: their files, their measured attributes, and captions that are true."""

import gzip
import hashlib
import io
import re
import zipfile
from collections import Counter

import numpy as np
import pytest
import soundfile
from needed import data_folder

from mmgan.data.digits import captions
from mmgan.data.digits import files as digit_files
from mmgan.data.digits.attributes import measure_duration, measure_slant, measure_thickness
from mmgan.data.digits.captions import CHINESE, WORDS
from mmgan.data.digits.dataset import Digits
from mmgan.errors import DataError
from mmgan.system.download import DownloadError
from scripts.text_encoder.dataset_captions import attribute_sets, digits_captions

real = pytest.mark.usefixtures("real_digits")


@pytest.fixture(scope="module")
def real_digits():
    return data_folder("digits")


@pytest.fixture(scope="module")
def digits(real_digits):
    return Digits("test")


def ranks(values):
    return np.argsort(np.argsort(values, kind="stable"))


def stroke(thickness, slant=0.0):
    """A straight stroke of known thickness (pixels) and slant (radians), uint8 [28, 28], drawn with soft edges."""
    y, x = np.mgrid[:28, :28] - 13.5
    across = abs(x * np.cos(slant) + y * np.sin(slant))
    along = abs(-x * np.sin(slant) + y * np.cos(slant))
    return (255 * (thickness / 2 + 0.5 - across).clip(0, 1) * (10.5 - along).clip(0, 1)).astype(np.uint8)


# --- measured attributes


@pytest.mark.parametrize("thickness", [2.0, 3.0, 4.0])
def test_thickness_of_a_known_stroke(thickness):
    measured = measure_thickness(stroke(thickness)[None])[0]
    assert measured == pytest.approx(thickness * 20 / (20 + thickness), rel=0.1)  # both ends count as outline


@pytest.mark.parametrize("slant", [-0.5, -0.2, 0.0, 0.3])
def test_slant_of_a_known_stroke(slant):
    assert measure_slant(stroke(2.5, slant)[None])[0] == pytest.approx(slant, abs=0.02)


def test_duration_of_a_known_sound():
    sound = np.zeros((1, 8_000), np.float32)
    sound[0, 1_600:4_000] = np.sin(np.arange(2_400) * 0.3)
    assert measure_duration(sound, 8_000)[0] == pytest.approx(0.3)
    assert measure_duration(np.repeat(sound, 2, axis=1), 16_000)[0] == pytest.approx(0.3)


def test_nothing_measures_zero():
    empty = np.zeros((2, 28, 28), np.uint8)
    assert measure_thickness(empty).tolist() == measure_slant(empty).tolist() == [0, 0]
    assert measure_duration(np.zeros((2, 8_000)), 8_000).tolist() == [0, 0]
    assert measure_thickness(empty[:0]).shape == (0,)


@real
def test_measurements_rank_as_published_definitions_do(digits, real_digits):
    with np.load(real_digits / "t10k.npz", allow_pickle=False) as arrays:
        assert np.corrcoef(ranks(digits.thickness), ranks(arrays["thickness"]))[0, 1] > 0.98
        assert np.abs(digits.slant - arrays["slant"]).mean() < 0.005
    with np.load(real_digits / "fsdd_test.npz", allow_pickle=False) as arrays:
        assert np.corrcoef(ranks(digits.duration), ranks(arrays["active_duration"]))[0, 1] > 0.98


@real
def test_faint_noise_of_a_generated_picture_changes_little(digits):
    noisy = digits.images[:500] + np.random.default_rng(0).integers(0, 8, (500, 28, 28))
    noisy = noisy.clip(0, 255).astype(np.uint8)
    assert np.abs(measure_thickness(noisy) - digits.thickness[:500]).mean() < 0.1
    assert np.abs(measure_slant(noisy) - digits.slant[:500]).mean() < 0.01


# --- captions


def named(text):
    """The attributes and the digit that a caption names, read from its words alone."""
    said = {
        "thin": r"\bthin\b|slender|细", "thick": r"\bthick\b|\bbold\b|粗", "left": r"\bleft\b|向左|往左",
        "right": r"\bright\b|向右|往右", "upright": r"\bupright\b|\bstraight\b|端正|很直", "slow": "slowly|很慢|慢慢",
        "fast": "quickly|很快|快速",
    }  # fmt: skip
    found = re.findall("|".join(rf"\b{word}\b" for word in WORDS) + r"|\d", text.lower())
    if re.search(f"[{CHINESE[2:]}零]", text) or (not found and "一" in text):
        found = re.findall(f"[{CHINESE}]", re.sub("一个", "", text))
    numbers = {WORDS.index(word) if word in WORDS else (CHINESE + "0123456789").index(word) % 10 for word in found}
    assert len(numbers) == 1, text
    return numbers.pop(), {name for name, pattern in said.items() if re.search(pattern, text.lower())}


def test_every_caption_says_its_digit_and_attributes_and_no_more():
    for phrasing in captions.PHRASINGS:
        for digit in range(10):
            for names in attribute_sets() if phrasing.detailed else [()]:
                for numeral in (True, False):
                    text = captions.caption(phrasing, digit, numeral, names)
                    assert named(text) == (digit, set(names)), text
                    assert not re.search(r"  | [,.?]|,,|、、|\{|\ba (8|eight|upright)\b|\ban [^8eiu]", text), text
                    assert text == text.strip()


def test_there_are_many_phrasings_in_two_languages():
    assert sum(phrasing.english is None for phrasing in captions.PHRASINGS) >= 60
    assert sum(phrasing.english is not None for phrasing in captions.PHRASINGS) >= 15
    assert len(set(captions.PHRASINGS)) == len(captions.PHRASINGS)


def test_chinese_captions_come_with_their_english():
    listed = digits_captions()
    assert len(listed) == len(dict(listed))
    for text, english in listed:
        assert (english is not None) == bool(re.search("[一-鿿]", text)), text
        assert english is None or named(english) == named(text)


def test_caption_list_is_fixed_by_its_seed():
    assert digits_captions(50, seed=1) == digits_captions(seed=1)[:50]
    assert digits_captions(50, seed=1) != digits_captions(50, seed=2)


def test_attribute_prompts_ask_for_less_then_more():
    prompts = captions.attribute_prompts()
    assert Counter(measured for measured, _, _ in prompts) == {"thickness": 10, "slant": 10, "duration": 10}
    order = {"thickness": ("thin", "thick"), "slant": ("left", "right"), "duration": ("fast", "slow")}
    for measured, less, more in prompts:
        assert named(less)[0] == named(more)[0]
        assert (named(less)[1], named(more)[1]) == tuple({name} for name in order[measured])


# --- the dataset


@real
def test_banks(digits):
    assert (digits.num_images, digits.num_sounds) == (10_000, 300)
    assert digits.image(0).mode == "L" and digits.image(0).size == (28, 28)
    assert digits.image_concept(0) == "7" and digits.sound_concept(299) == "9"
    assert digits.concepts == list("0123456789")


@real
def test_sounds_are_of_one_loudness_without_offset(digits):
    for index in range(0, 300, 30):
        sound = digits.sound(index)
        assert sound.dtype == np.float32 and sound.shape == (2 * digits._lengths[index],)
        assert abs(sound.mean()) < 1e-4 and np.abs(sound).max() == pytest.approx(0.9, abs=1e-4)


@real
def test_rows_are_true_and_their_wrong_captions_false(digits):
    rows = digits.rows(np.random.default_rng(0), 3_000)
    detailed = 0
    for row in rows:
        digit, names = named(row.text)
        assert str(digit) == row.concept == digits.image_concept(row.image) == digits.sound_concept(row.sound)
        true = {digits.stroke_names[row.image], digits.lean_names[row.image], digits.speed_names[row.sound]}
        assert names <= true
        detailed += bool(names)
        wrong_digit, wrong_names = named(row.wrong_text)
        assert len(wrong_names) == len(names)
        assert (wrong_digit != digit and wrong_names == names) or (wrong_digit == digit and not wrong_names & true)
    assert 0.4 < detailed / len(rows) < 0.6
    assert {digits.image_concept(row.image) for row in rows} == set(digits.concepts)
    another_digit = np.mean([named(row.text)[0] != named(row.wrong_text)[0] for row in rows if named(row.text)[1]])
    assert 0.65 < another_digit < 0.75


@real
def test_rows_are_fixed_by_the_generator(digits):
    assert digits.rows(np.random.default_rng(5), 20) == digits.rows(np.random.default_rng(5), 20)
    assert digits.rows(np.random.default_rng(5), 20) != digits.rows(np.random.default_rng(6), 20)


@real
def test_leaning_is_meant_literally(digits):
    for digit in range(10):
        slant = {name: digits.slant[(digits.lean_names == name) & (digits.labels == digit)] for name in captions.LEAN}
        assert slant["left"].max() < 0 < slant["right"].min()
        assert np.abs(slant["upright"]).max() < np.abs(slant["left"]).min()


@real
def test_prompts_ask_in_words_that_training_never_uses(digits):
    prompts = digits.prompts()
    assert len(prompts) == len({prompt.text for prompt in prompts}) == 50
    assert all(str(named(prompt.text)[0]) == prompt.concept for prompt in prompts)
    trained = {text.lower() for text, _ in digits_captions()}
    assert {prompt.text.lower() in trained for prompt in prompts[:20]} == {True}
    assert {prompt.text.lower() in trained for prompt in prompts[20:]} == {False}


# --- files


def write_npz(folder, **changes):
    """A little set of the digits in ``folder``/digits, one picture and one sound a digit, for both splits."""
    (folder / "digits").mkdir(parents=True, exist_ok=True)
    every = np.arange(10, dtype=np.uint8)
    arrays = {
        "images": np.zeros((10, 28, 28), np.uint8), "labels": every,
        "audio": np.ones((10, 8_000), np.int16), "length": np.full(10, 4_000, np.uint16), "label": every,
    }  # fmt: skip
    for name in (*digit_files.IMAGE_FILES.values(), *digit_files.SOUND_FILES.values()):
        np.savez(folder / "digits" / name, **(arrays | changes))


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """A machine with an empty cache and without internet."""
    monkeypatch.setenv("MMGAN_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def offline(*args, **kwargs):
        raise DownloadError("unreachable", host="the server")

    monkeypatch.setattr(digit_files, "fetch", offline)
    return tmp_path


def test_absent_and_offline(alone):
    with pytest.raises(DataError) as caught:
        Digits()
    assert str(caught.value) == (
        "The digits are not on this machine and the server cannot be reached; "
        "run this once with internet, or set MMGAN_DATA to a folder that has digits/."
    )


def test_own_files_work_even_if_blank(alone):
    write_npz(alone / "data")
    assert len(Digits("train").rows(np.random.default_rng(0), 50)) == 50


def test_cache_is_looked_at_after_mmgan_data(alone):
    write_npz(alone / "cache" / "mmgan")
    assert Digits("test").num_images == 10


@pytest.mark.parametrize(
    "changes",
    [
        {"images": np.zeros((10, 28, 27), np.uint8)},
        {"images": np.zeros((10, 28, 28), np.float32)},
        {"images": np.zeros((9, 28, 28), np.uint8)},
        {"images": np.array([object()] * 10)},
        {"labels": np.full(10, 3, np.uint8)},
        {"audio": np.zeros((10, 8_000), np.float32)},
        {"length": np.full(10, 9_000, np.uint16)},
        {"length": np.zeros(10, np.uint16)},
        {"label": np.arange(10, 20, dtype=np.uint8)},
    ],
)
def test_wrong_arrays_name_their_file(alone, changes):
    write_npz(alone / "data", **changes)
    with pytest.raises(DataError, match=r"(train60k|fsdd_train)\.npz is broken; delete it"):
        Digits()


@pytest.mark.parametrize("content", [b"", b"no zip at all", "half"])
def test_truncated_file_is_named(alone, content):
    write_npz(alone / "data")
    path = alone / "data" / "digits" / "fsdd_train.npz"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2] if content == "half" else content)
    with pytest.raises(DataError, match=r"fsdd_train\.npz is broken; delete it"):
        Digits()


def test_unknown_split(alone):
    with pytest.raises(DataError, match="no split 'valid'; choose train or test"):
        Digits("valid")


def idx(array):
    header = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    return gzip.compress(header + array.tobytes())


def zipped(clips, rate=8_000):
    """{member name: int16 samples} as a zip of WAV files, bytes."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("free-spoken-digit-dataset-x/README.md", "text")
        for name, samples in clips.items():
            wav = io.BytesIO()
            soundfile.write(wav, samples, rate, format="WAV", subtype="PCM_16")
            archive.writestr(f"free-spoken-digit-dataset-x/recordings/{name}.wav", wav.getvalue())
    return memory.getvalue()


def recordings():
    clips = {}
    for digit in range(10):
        for number, speaker in enumerate(("zoe", "ann")):
            for take in (4, 5, 10):
                length = 9_000 if (digit, take) == (3, 5) else 2_000 + take
                clips[f"{digit}_{speaker}_{take}"] = np.full(length, 100 * digit + 10 * number + take, np.int16)
    return clips


def test_downloads_are_packed_once_and_cleared_away(alone, monkeypatch):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (20, 28, 28)).astype(np.uint8)
    served = {
        "train-images-idx3-ubyte.gz": idx(images),
        "train-labels-idx1-ubyte.gz": idx(np.arange(20, dtype=np.uint8) % 10),
        f"fsdd-{digit_files.FSDD_COMMIT}.zip": zipped(recordings()),
    }
    asked = []

    def fetch(url, target, md5=None):
        asked.append(target.name)
        target.write_bytes(served[target.name])
        return target

    (alone / "check.zip").write_bytes(served[f"fsdd-{digit_files.FSDD_COMMIT}.zip"])
    packed = digit_files.pack_sounds(alone / "check.zip")
    sums = {split: hashlib.sha256(arrays["audio"].tobytes()).hexdigest() for split, arrays in packed.items()}
    monkeypatch.setattr(digit_files, "fetch", fetch)
    monkeypatch.setattr(digit_files, "FSDD_SHA256", sums)
    for _ in range(2):
        digits = Digits("train")
        assert np.array_equal(digits.images, images) and digits.num_sounds == 40
    assert sorted(asked) == sorted(served)
    assert not list((alone / "cache" / "mmgan" / "digits" / "downloads").glob("*z*"))


def test_recordings_are_sorted_split_and_cut(tmp_path):
    (tmp_path / "all.zip").write_bytes(zipped(recordings()))
    packed = digit_files.pack_sounds(tmp_path / "all.zip")
    train, test = packed["train"], packed["test"]
    assert train["audio"].shape == (40, 8_000) and test["audio"].shape == (20, 8_000)
    assert set(test["index"]) == {4} and set(train["index"]) == {5, 10}
    assert train["audio"].dtype == np.int16 and train["speaker_names"].tolist() == ["ann", "zoe"]
    order = list(zip(train["label"].tolist(), train["speaker"].tolist(), train["index"].tolist(), strict=True))
    assert order == sorted(order)
    row = order.index((3, 0, 5))
    assert train["length"][row] == 8_000 and train["audio"][row, -1] == 3 * 100 + 10 + 5  # ann is number 1 above
    row = order.index((3, 1, 10))
    assert train["length"][row] == 2_010 and train["audio"][row, 2_009] == 310 and not train["audio"][row, 2_010:].any()


@pytest.mark.parametrize("rate, name", [(16_000, "1_ann_5"), (8_000, "picture")])
def test_other_recordings_are_refused(tmp_path, rate, name):
    (tmp_path / "all.zip").write_bytes(zipped({name: np.ones(100, np.int16)}, rate))
    with pytest.raises(DataError, match=r"all\.zip is broken"):
        digit_files.pack_sounds(tmp_path / "all.zip")


def test_changed_recordings_are_not_kept(alone, monkeypatch):
    def fetch(url, target):
        target.write_bytes(zipped(recordings()))
        return target

    monkeypatch.setattr(digit_files, "fetch", fetch)
    with pytest.raises(DataError, match="the recordings arrived damaged or changed; run this once with internet"):
        digit_files.load_sounds("train")
    assert not list((alone / "cache").rglob("*.zip")) and not list((alone / "cache").rglob("*.npz"))


@pytest.mark.parametrize("damage", [lambda b: b[:-20], lambda b: b"", lambda b: gzip.compress(b"\0\0\x0d\x01\0\0\0\0")])
def test_damaged_idx(tmp_path, damage):
    (tmp_path / "x.gz").write_bytes(damage(idx(np.zeros((3, 28, 28), np.uint8))))
    with pytest.raises(DataError, match=r"x\.gz is broken"):
        digit_files.read_idx(tmp_path / "x.gz")


@real
@pytest.mark.parametrize("split", ["train", "test"])
def test_published_recordings(split):
    audio, _, _ = digit_files.load_sounds(split)
    assert hashlib.sha256(audio.tobytes()).hexdigest() == digit_files.FSDD_SHA256[split]
