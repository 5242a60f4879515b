"""The shapes dataset keeps its rule, and the measurement reads it back and can fail."""

import itertools
from collections import Counter, defaultdict

import numpy as np
import pytest
import torch
from PIL import Image

from mmgan.audio.griffin_lim import griffin_lim
from mmgan.audio.mel import log_mel
from mmgan.data import load_dataset
from mmgan.data.shapes.captions import (
    ALL_PHRASINGS,
    ASKED,
    ASKED_CHINESE,
    ATTRIBUTES,
    CHINESE_DESCRIPTIONS,
    CHINESE_ENDINGS,
    CHINESE_OPENERS,
    ENGLISH_ENDINGS,
    ENGLISH_FULL,
    ENGLISH_OPENERS,
    ENGLISH_PART,
    Phrasing,
    draw_phrasing,
)
from mmgan.data.shapes.dataset import (
    ALL_COMBINATIONS,
    Shapes,
    held_out_combinations,
    parse_concept,
    seen_combinations,
)
from mmgan.data.shapes.measure import coherence, confusions, measure_images, measure_sounds, read
from mmgan.data.shapes.render import NUM_SAMPLES, Combination
from mmgan.errors import DataError
from scripts.text_encoder.dataset_captions import fill_all, shapes_captions


@pytest.fixture(scope="module")
def train():
    return load_dataset("shapes")


@pytest.fixture(scope="module")
def test_split():
    return Shapes("test")


def pictures(dataset, indices, side):
    return np.stack([np.asarray(dataset.image(i).resize((side, side), Image.Resampling.BOX)) for i in indices])


def share_right(found, concepts):
    return np.mean([item == parse_concept(c)._asdict() for item, c in zip(found, concepts, strict=True)])


def test_bank_is_deterministic_and_varied(train):
    again = Shapes()
    assert np.array_equal(train.image(7), again.image(7)) and np.array_equal(train.sound(7), again.sound(7))
    twin = 7 + len(seen_combinations())
    assert train.image_concept(7) == train.sound_concept(7) == train.image_concept(twin)
    assert not np.array_equal(train.image(7), train.image(twin))
    assert not np.array_equal(train.sound(7), train.sound(twin))
    assert train.image(0).mode == "RGB" and train.image_channels == 3


def test_sounds_fit_without_clipping(train):
    for index in range(0, 880, 11):
        sound = train.sound(index)
        assert sound.dtype == np.float32 and sound.shape == (NUM_SAMPLES,)
        assert 0.01 < np.abs(sound).max() < 0.99


def test_held_out_combinations_never_train(train, test_split):
    seen, held_out = seen_combinations(), held_out_combinations()
    assert len(seen) + len(held_out) == len(ALL_COMBINATIONS) and not set(seen) & set(held_out)
    assert 0.12 < len(held_out) / len(ALL_COMBINATIONS) < 0.18
    assert parse_concept("large red star on blue") in seen
    assert {train.image_concept(i) for i in range(train.num_images)} == set(map(str, seen)) == set(train.concepts)
    assert {test_split.sound_concept(i) for i in range(test_split.num_sounds)} == set(map(str, held_out))
    triples = {c[:3] for c in seen}
    assert all(c[:3] not in triples for c in held_out)  # no background lets a held-out triple in


@pytest.mark.parametrize("first, second", list(itertools.combinations(range(4), 2)))
def test_every_pair_of_values_is_seen(first, second):
    assert {(c[first], c[second]) for c in seen_combinations()} == {(c[first], c[second]) for c in ALL_COMBINATIONS}


def test_rows(train):
    rows = train.rows(np.random.default_rng(3), 600)
    assert rows == train.rows(np.random.default_rng(3), 600)
    for row in rows:
        assert train.image_concept(row.image) == train.sound_concept(row.sound) == row.concept
        assert row.text != row.wrong_text
    assert any(row.image != row.sound for row in rows)
    example = train.example(rows[0])
    assert example.text == rows[0].text and example.image.mode == "RGB" and len(example.audio) == NUM_SAMPLES


@pytest.fixture(scope="module")
def meanings():
    """What each caption says: a list of attributes and values for every way in which it can be made."""
    said = defaultdict(list)
    described = [text.replace("{z}", one) for text in CHINESE_DESCRIPTIONS for one in ("", "一个")]
    for phrasing in (*ALL_PHRASINGS, *(Phrasing(text, True) for text in described)):
        choices = {tuple((name, getattr(c, name)) for name in phrasing.mentions) for c in ALL_COMBINATIONS}
        for choice in map(dict, choices):
            for caption in fill_all(phrasing, choice):
                said[caption].append(choice)
    return said


def meaning(text, meanings):
    """What a caption says, which may stand between an opener and an ending."""
    found = list(meanings[text])
    for openers, endings in ((ENGLISH_OPENERS, ENGLISH_ENDINGS), (CHINESE_OPENERS, CHINESE_ENDINGS)):
        for opener, ending in itertools.product(set(openers), set(endings)):
            if text.startswith(opener) and text.endswith(ending) and opener + ending:
                found += meanings[text[len(opener) : len(text) - len(ending)].strip()]
    return found


def test_captions_are_true_and_wrong_captions_false(train, meanings):
    seen = [c._asdict() for c in seen_combinations()]
    for row in train.rows(np.random.default_rng(4), 400):
        concept = parse_concept(row.concept)._asdict()
        right, wrong = meaning(row.text, meanings), meaning(row.wrong_text, meanings)
        assert right and all(said.items() <= concept.items() for said in right)
        assert wrong and not any(said.items() <= concept.items() for said in wrong)
        assert all(any(said.items() <= c.items() for c in seen) for said in wrong)  # held-out is never called wrong


def test_phrasings():
    star = Combination("large", "orange", "star", "blue")._asdict()
    assert Phrasing("{background}背景上的{size}{colour}{shape}", True).fill(star) == "蓝色背景上的大橙色星星"
    assert Phrasing("a {colour} {shape}").fill(star) == "an orange star"
    assert len(ENGLISH_FULL) + len(ENGLISH_PART) >= 30 and sum(p.chinese for p in ALL_PHRASINGS) >= 8
    assert all(p.mentions for p in ALL_PHRASINGS) and len({p.text for p in ALL_PHRASINGS}) == len(ALL_PHRASINGS)


def test_ways_to_ask_are_many_and_name_all_attributes():
    for ways in (ASKED, ASKED_CHINESE):
        assert len(set(ways)) > 500 and all(phrasing.mentions == ATTRIBUTES for phrasing in ways)
    rng = np.random.default_rng(0)
    drawn = {draw_phrasing(rng) for _ in range(2_000)}
    assert len(drawn & set(ASKED)) > 50 and len(drawn & set(ASKED_CHINESE)) > 100


def test_all_captions():
    captions = dict(shapes_captions())
    assert captions["蓝色背景上的大红色星星"] == "a large red star on blue"
    assert captions["a huge violet hoop on black"] is None
    few = shapes_captions(limit=50, seed=1)
    assert len(few) == 50 and few != shapes_captions(limit=50, seed=2)
    assert all((english is not None) == any("一" <= letter <= "鿿" for letter in text) for text, english in few)


def test_prompts(train):
    seen, held_out = train.prompts("seen"), train.prompts("held-out")
    assert {p.concept for p in seen} == set(map(str, seen_combinations()))
    assert {p.concept for p in held_out} == set(map(str, held_out_combinations()))
    assert len(train.prompts()) == len(seen) + len(held_out) < 1000
    assert all(prompt.text == prompt.concept for prompt in seen[::2])
    with pytest.raises(DataError, match="held-out"):
        train.prompts("unseen")


def test_bad_input_is_told():
    with pytest.raises(DataError, match="train"):
        Shapes("validation")
    for text in ("star", "red large star on blue", "large red star by blue", "large blue star on blue", ""):
        with pytest.raises(DataError, match="large red star on blue"):
            parse_concept(text)
    with pytest.raises(DataError):
        measure_images(np.zeros((2, 32, 32, 3), np.float32))
    with pytest.raises(DataError):
        measure_images(np.zeros((2, 8, 8, 3), np.uint8))
    with pytest.raises(DataError):
        measure_sounds(np.zeros((2, 100), np.float32))
    with pytest.raises(DataError):
        read(np.zeros((1, 32, 32, 3), np.uint8), np.zeros((2, NUM_SAMPLES), np.float32), ["large red star on blue"])


@pytest.mark.parametrize("side", [32, 64, 128])
def test_pictures_are_measured_right(train, test_split, side):
    for dataset, count in ((train, 220), (test_split, 44)):
        concepts = [dataset.image_concept(i) for i in range(count)]
        assert share_right(measure_images(pictures(dataset, range(count), side)), concepts) >= 0.99


def test_soft_and_rough_pictures_are_still_measured(train):
    clean = torch.from_numpy(pictures(train, range(220), 64)).permute(0, 3, 1, 2).float()
    soft = torch.nn.functional.avg_pool2d(torch.nn.functional.pad(clean, (1, 1, 1, 1), mode="replicate"), 3, 1)
    rough = (soft + 8 * torch.randn(soft.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 255)
    found = measure_images(rough.permute(0, 2, 3, 1).numpy().astype(np.uint8))
    assert share_right(found, [train.image_concept(i) for i in range(220)]) >= 0.97


def test_sounds_are_measured_right(train, test_split):
    for dataset, count in ((train, 220), (test_split, 44)):
        sounds = np.stack([dataset.sound(i) for i in range(count)])
        assert share_right(measure_sounds(sounds), [dataset.sound_concept(i) for i in range(count)]) >= 0.99


def test_sounds_survive_the_mel(train):
    indices = range(0, 220, 9)
    sounds = griffin_lim(log_mel(torch.from_numpy(np.stack([train.sound(i) for i in indices])))).numpy()
    assert share_right(measure_sounds(sounds), [train.sound_concept(i) for i in indices]) >= 0.99


def test_coherence_can_fail(train):
    indices = list(range(0, 220, 5))
    images, sounds = pictures(train, indices, 32), np.stack([train.sound(i) for i in indices])
    concepts = [train.image_concept(i) for i in indices]
    right = coherence(read(images, sounds, concepts))
    assert set(right) >= {"image", "sound", "both", "agree"} | {f"image {name}" for name in ATTRIBUTES}
    assert all(rate == 1.0 for rate in right.values())
    swapped = coherence(read(images, np.roll(sounds, 1, axis=0), concepts))
    assert swapped["image"] == 1.0 and swapped["sound"] == swapped["both"] == swapped["agree"] == 0.0
    elsewhere = coherence(read(np.roll(images, 1, axis=0), np.roll(sounds, 1, axis=0), concepts))
    assert elsewhere["both"] == 0.0 and elsewhere["agree"] == 1.0


def test_mistakes_are_named_with_their_share(train):
    reds = [i for i in range(220) if train.image_concept(i).split()[1] == "red"][:4]
    images, sounds = pictures(train, reds, 32), np.stack([train.sound(i) for i in reds])
    concepts = [train.image_concept(i) for i in reds]
    assert confusions(read(images, sounds, concepts)) == []
    sounds[0] = 0  # of four reds, one is silent
    silent = dict(confusions(read(images, sounds, concepts)))
    assert silent["sound colour: red as unclear"] == 0.25 and not any(name.startswith("image") for name in silent)
    greens = [concept.replace("red", "green") for concept in concepts if "green" not in concept]
    found = dict(confusions(read(images[: len(greens)], sounds[: len(greens)], greens)))
    assert found["image colour: green as red"] == 1.0


def test_noise_and_emptiness_show_nothing(train):
    rng = np.random.default_rng(0)
    noise = measure_images(rng.integers(0, 256, (20, 64, 64, 3), dtype=np.uint8))
    assert all(found["shape"] is None and found["size"] is None for found in noise)
    empty = measure_images(np.full((1, 32, 32, 3), 244, np.uint8))
    assert empty == [{"size": None, "colour": None, "shape": None, "background": "white"}]
    hiss = measure_sounds(rng.normal(0, 0.1, (20, NUM_SAMPLES)).astype(np.float32))
    assert all(found["shape"] is None and found["colour"] is None for found in hiss)
    assert measure_sounds(np.zeros((1, NUM_SAMPLES), np.float32))[0]["size"] is None
    nothing = read(np.zeros((1, 32, 32, 3), np.uint8), np.zeros((1, NUM_SAMPLES), np.float32), [train.concepts[0]])
    assert coherence(nothing)["agree"] == 0.0


def test_a_broken_shape_or_a_second_one_is_no_shape(train):
    index = next(i for i in range(220) if train.image_concept(i) == "large green circle on white")
    picture = pictures(train, [index], 64)[0]
    halved, doubled, striped = picture.copy(), picture.copy(), picture.copy()
    halved[:, :32] = picture[0, 0]
    doubled[2:18, 2:18] = (222, 32, 44)
    striped[::2][(striped[::2] != picture[0, 0]).any(axis=-1)] = (166, 54, 196)
    found = measure_images(np.stack([picture, halved, doubled, striped]))
    assert [item["shape"] for item in found][:3] == ["circle", None, None]
    assert found[3]["colour"] is None


def test_loudness_is_the_size_only_within_the_rule(train):
    index = next(i for i in range(220) if train.sound_concept(i) == "small red star on black")
    sound = train.sound(index)
    found = measure_sounds(np.stack([sound, sound * 1.5, sound * 5.6, sound * 0.2]))
    assert [item["size"] for item in found] == ["small", "small", "large", None]


def test_small_stars_are_drawn_more_often_than_large_circles_and_nothing_is_left_out():
    rows = Shapes().rows(np.random.default_rng(0), 40_000)
    counts = Counter(row.concept for row in rows)
    assert set(counts) == {str(combination) for combination in seen_combinations()}
    small_stars, large_circles = (
        sum(n for concept, n in counts.items() if concept.startswith(size) and shape in concept and "on w" in concept)
        for size, shape in (("small", "star"), ("large", "circle"))
    )
    assert 3 < small_stars / large_circles < 5
    assert 2 < counts["large blue ring on yellow"] / counts["large red ring on yellow"] < 4


def test_a_blue_shape_on_yellow_is_often_called_a_yellow_one_on_blue():
    rows = Shapes().rows(np.random.default_rng(0), 6_000)
    rows = [row for row in rows if "blue" in row.concept and "yellow" in row.concept and row.text.isascii()]
    rows = [row for row in rows if "blue" in row.text and "yellow" in row.text]
    swapped = {"blue": "yellow", "yellow": "blue"}
    called = [" ".join(swapped.get(word.strip(","), word) for word in row.text.split()) for row in rows]
    plain = [
        " ".join(word.strip(",") if word.strip(",") in swapped else word for word in row.wrong_text.split())
        for row in rows
    ]
    share = np.mean([a == b for a, b in zip(called, plain, strict=True)])
    assert 0.3 < share < 0.6
