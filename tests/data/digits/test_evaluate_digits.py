"""The whole evaluation on pipelines that pretend: real data, copies of the training data, noise, one for all."""

import numpy as np
import pytest
from needed import data_folder
from PIL import Image
from pretender import Pretender

from mmgan.audio.waveform import fit_length
from mmgan.data.digits import captions
from mmgan.data.digits.dataset import Digits
from mmgan.errors import MmganError
from mmgan.evaluation import evaluate as module
from mmgan.evaluation.report import format_report, write_json


def part(split: str, pictures: int, every: int) -> Digits:
    """The first pictures, and every n-th sound, of a split, so that the whole test takes seconds."""
    data = Digits(split)
    data.images, data.labels = data.images[:pictures], data.labels[:pictures]
    data._audio, data._lengths, data.sound_labels = (
        a[::every] for a in (data._audio, data._lengths, data.sound_labels)
    )
    data._images_of = [np.flatnonzero(data.labels == d) for d in range(10)]
    data._sounds_of = [np.flatnonzero(data.sound_labels == d) for d in range(10)]
    return data


@pytest.fixture(scope="module")
def data():
    data_folder("digits")
    return {"train": part("train", 1_500, 9), "test": part("test", 1_000, 5)}


def pretender(draw) -> Pretender:
    """``draw(digit, text, count, rng)`` answers the prompts of the digits' evaluation."""
    digits = dict(captions.evaluation_prompts())
    for number, (_, less, more) in enumerate(captions.attribute_prompts()):
        digits |= {less: number % 10, more: number % 10}
    return Pretender(lambda text, count, rng: draw(digits[text], text, count, rng))


def real(data, attributes=True):
    """Draws real pictures and sounds that are what the prompt says."""

    def draw(digit, text, count, rng):
        pictures, sounds = data._images_of[digit], data._sounds_of[digit]
        for names, items in (
            (data.stroke_names, "pictures"),
            (data.lean_names, "pictures"),
            (data.speed_names, "sounds"),
        ):
            for word in ("thin", "thick", "left", "right", "slow", "fast") if attributes else ():
                spoken = {"slow": "slowly", "fast": "quickly"}.get(word, word)
                bank = pictures if items == "pictures" else sounds
                if spoken in text.split() and (names[bank] == word).any():
                    bank = bank[names[bank] == word]
                    pictures, sounds = (bank, sounds) if items == "pictures" else (pictures, bank)
        chosen = rng.choice(pictures, count)
        images = np.pad(data.images[chosen], ((0, 0), (2, 2), (2, 2)))
        return images, np.stack([fit_length(data.sound(i), 16_384) for i in rng.choice(sounds, count)])

    return draw


def noise(digit, text, count, rng):
    return rng.integers(0, 256, (count, 32, 32), dtype=np.uint8), rng.uniform(-0.9, 0.9, (count, 16_384))


@pytest.fixture
def evaluate(data, monkeypatch):
    monkeypatch.setattr(module, "load_dataset", lambda name, split="train": data[split])
    return lambda draw, count=3: module.evaluate(pretender(draw), "digits", count, seed=0, progress=False)


@pytest.fixture(scope="module")
def real_result(data):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "load_dataset", lambda name, split="train": data[split])
        return module.evaluate(pretender(real(data["test"])), "digits", 3, seed=0, progress=False)


def test_real_data_score_as_real(real_result):
    figures = real_result[0]["figures"]
    for name in ("image_accuracy", "audio_accuracy", "both_correct", "audio_accuracy_before_the_vocoder"):
        assert figures[name]["generated"] > 0.95
    for name in ("image_accuracy", "audio_accuracy", "both_correct"):
        assert figures[name]["generated"] == pytest.approx(figures[name]["real"], abs=0.04)
    image = figures["image_frechet_distance"]
    assert image["generated"] < 2 * image["real"]
    for space in ("image_diversity_in_judge_features", "image_diversity_in_pixels", "audio_diversity_in_log-mel"):
        assert figures[space]["generated"] == pytest.approx(figures[space]["real"], rel=0.15)
    assert figures["image_precision"]["generated"] > 0.6 and figures["image_recall"]["generated"] > 0.5
    near = figures["image_nearest_training_item_median"]
    assert near["generated"] == pytest.approx(near["real"], rel=0.15)


def test_prompts_that_do_what_they_say_move_the_attributes(real_result):
    figures = real_result[0]["figures"]
    for attribute in ("thickness", "slant", "duration"):
        assert figures[f"{attribute}_moves_the_right_way"]["generated"] > 0.9
    assert figures["image_accuracy_with_attributes"]["generated"] > 0.95


def test_prompts_that_are_ignored_move_nothing(evaluate, data):
    figures = evaluate(real(data["test"], attributes=False))[0]["figures"]
    for attribute in ("thickness", "slant", "duration"):
        # The same seed draws the same samples, so that nothing changes at all.
        assert figures[f"{attribute}_moves_the_right_way"]["generated"] < 0.1


def test_copies_of_the_training_data_raise_the_alarm(evaluate, data):
    figures = evaluate(real(data["train"], attributes=False))[0]["figures"]
    for modality in ("image", "audio"):
        for name in ("median", "p5"):
            near = figures[f"{modality}_nearest_training_item_{name}"]
            assert near["generated"] < 0.05 * near["real"]


def test_noise_scores_badly(evaluate):
    figures = evaluate(noise)[0]["figures"]
    assert figures["image_accuracy"]["generated"] < 0.3 and figures["audio_accuracy"]["generated"] < 0.3
    for name in ("image_frechet_distance", "audio_frechet_distance", "image_kernel_distance", "audio_kernel_distance"):
        assert figures[name]["generated"] > 3 * abs(figures[name]["real"])
    assert figures["image_precision"]["generated"] < 0.3


def test_one_sample_for_all_has_no_diversity(evaluate, data):
    def draw(digit, text, count, rng):
        return real(data["test"])(digit, "", count, np.random.default_rng(digit))

    def same(digit, text, count, rng):
        images, sounds = draw(digit, "", 1, rng)
        return np.repeat(images, count, 0), np.repeat(sounds, count, 0)

    figures = evaluate(same)[0]["figures"]
    assert figures["image_accuracy"]["generated"] >= 0.9
    for name, figure in figures.items():
        if "diversity" in name:
            assert figure["generated"] < 0.05 * figure["real"]
        if name.endswith("recall"):
            assert figure["generated"] < 0.3


def test_tables_and_files(real_result, tmp_path):
    result, generated = real_result
    assert [len(t) for t in result["tables"].values()] == [5, 10]
    assert len(generated.prompts) == result["samples"] == 150
    text = format_report(result)
    assert "accuracy per phrasing" in text and "times the floor" in text and "nan" not in text
    write_json(result, tmp_path / "report.json")
    module.contact_sheet(generated, tmp_path / "sheet.png", "digits")
    assert Image.open(tmp_path / "sheet.png").width > 1_000


@pytest.mark.parametrize("count, seed", [(0, 0), (10**6, 0), (1, -1), (1, 2**40)])
def test_counts_and_seeds_out_of_range(evaluate, count, seed):
    with pytest.raises(MmganError):
        module.evaluate(None, "digits", count, seed=seed)


def halfright(data):
    """Pictures are right for digits below 6 and sounds for 4 to 8; of 9 both say the same wrong digit."""
    seen = {d: d if d < 6 else (1 if d == 9 else d - 5) for d in range(10)}
    heard = {d: d if 4 <= d <= 8 else (1 if d == 9 else d + 5) for d in range(10)}

    def draw(digit, text, count, rng):
        right = real(data, attributes=False)
        return right(seen[digit], "", count, rng)[0], right(heard[digit], "", count, rng)[1]

    return draw


def test_both_is_and_and_agreement_is_between_the_two(evaluate, data):
    figures = evaluate(halfright(data["test"]))[0]["figures"]
    wanted = {"image_accuracy": 0.6, "audio_accuracy": 0.5, "both_correct": 0.2, "image_and_audio_agree": 0.3}
    assert {name: figures[name]["generated"] for name in wanted} == pytest.approx(wanted, abs=0.04)


def test_pictures_are_compared_with_the_test_split_and_sounds_with_the_train_split(evaluate, data, monkeypatch):
    """Its pictures are dark and its sounds run backwards, so that each split has answers of its own."""
    test, train = data["test"], data["train"]
    monkeypatch.setattr(test, "images", test.images // 4)
    forwards = test.sound
    monkeypatch.setattr(test, "sound", lambda index: forwards(index)[::-1].copy())
    of = {"test": real(test, attributes=False), "train": real(train, attributes=False)}

    def mixed(pictures, sounds):
        return lambda *asked: (of[pictures](*asked)[0], of[sounds](*asked)[1])

    near, far = (evaluate(mixed(*names))[0]["figures"] for names in (("test", "train"), ("train", "test")))
    for name in ("image_frechet_distance", "audio_frechet_distance"):
        assert near[name]["generated"] < 0.5 * far[name]["generated"], name


def test_a_model_of_colours_is_judged_in_grey(evaluate, data):
    def coloured(*asked):
        images, sounds = real(data["test"], attributes=False)(*asked)
        return np.stack([images, np.zeros_like(images), images], -1), sounds

    assert evaluate(coloured, 1)[0]["figures"]["image_accuracy"]["generated"] > 0.8
