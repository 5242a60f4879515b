"""Measures on a few files: what copies, what does not, and what is said of it."""

import numpy as np
import pytest
import torch
from PIL import Image
from small import MODEL, Blobs

from mmgan.data import Dataset, Prompt
from mmgan.data.loader import Loader
from mmgan.evaluation import metrics
from mmgan.evaluation.memorisation import BLURRED, Measures, OwnMeasure, bank, describe
from mmgan.evaluation.metrics import energy_distance, energy_interval
from mmgan.models import Discriminators

SIZE = MODEL.image.size


def waves(count: int, seed: int) -> np.ndarray:
    """uint8 [count, S, S]: gratings whose angle, pitch and brightness are drawn, all of one kind and no two alike."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIZE, :SIZE]
    angle, pitch, phase, light = (
        rng.uniform(0, 3.1, count),
        rng.uniform(0.3, 1.2, count),
        rng.uniform(0, 6, count),
        None,
    )
    light = rng.uniform(60, 120, count)
    way = np.cos(angle)[:, None, None] * x + np.sin(angle)[:, None, None] * y
    return (light[:, None, None] * (1 + np.sin(pitch[:, None, None] * way + phase[:, None, None]))).astype(np.uint8)


class Waves(Dataset):
    """Pictures only, of one kind."""

    image_channels, num_images, num_sounds, name, concepts = 1, 0, 0, "waves", ("low", "high")

    def __init__(self, count, seed):
        self.pictures = waves(count, seed)
        self.num_images = count

    def image(self, index):
        return Image.fromarray(self.pictures[index])

    def sound(self, index):
        raise IndexError(index)

    sound_concept = sound

    def rows(self, rng, count):
        return []

    def image_concept(self, index):
        return self.concepts[index % 2]

    def prompts(self):
        return [Prompt(c, c) for c in self.concepts]


def loader(count, seed=0):
    return Loader(Waves(count, seed), MODEL)


@pytest.fixture
def measure():
    torch.manual_seed(0)
    return OwnMeasure("image", Discriminators(MODEL).eval(), loader(40), loader(10, 1))


def samples(count, seed):
    return torch.from_numpy(waves(count, seed)).unsqueeze(1) / 127.5 - 1


def test_copies_are_found_and_said(measure):
    known = loader(40).rows("image", range(40))
    noisy = known + 0.02 * torch.randn(known.shape, generator=torch.Generator().manual_seed(0))
    copied = measure(noisy)
    assert copied.copies > 0.9 and copied.nearer > 0.9 and str(copied.gauge).startswith("It is copying your files: ")
    assert measure.nearest_places(noisy) == list(range(40))


def test_new_ones_of_the_same_kind_are_no_copies(measure):
    fresh = measure(samples(64, 7))
    assert fresh.copies < 0.1 and 0.2 < fresh.nearer < 0.8 and "of its own" in str(fresh.gauge)
    assert 0.8 < fresh.diversity < 1.2 and abs(fresh.to_held_out) < 0.1


def test_an_average_of_all_is_no_copy_though_it_is_near(measure):
    blurred = loader(40).rows("image", range(40)).mean(0, keepdim=True).repeat(16, 1, 1, 1)
    average = measure(blurred + 0.01 * torch.randn(16, 1, SIZE, SIZE))
    assert average.copies == 0 and average.diversity < 0.2


def test_things_of_another_kind_are_far(measure):
    noise = measure(torch.randn(32, 1, SIZE, SIZE))
    assert noise.to_held_out > 5 * abs(measure(samples(32, 7)).to_held_out) and noise.copies == 0
    assert "further from your files" in str(noise.gauge)
    said = [*map(str, describe("image", measure(samples(32, 7)), noise))]
    assert said[0].startswith("Pictures: it makes") and any(
        "files that it never saw" in s or "files it never saw" in s for s in said
    )


def test_two_takes_of_one_thing_do_not_hide_a_copy():
    torch.manual_seed(0)
    data = Waves(20, 0)
    data.pictures = np.concatenate([data.pictures, data.pictures + 1])  # each file nearly twice
    data.num_images = 40
    measure = OwnMeasure("image", Discriminators(MODEL).eval(), Loader(data, MODEL), loader(10, 1))
    assert measure(torch.from_numpy(data.pictures[:20]).unsqueeze(1) / 127.5 - 1).copies > 0.9


@pytest.mark.parametrize("count", [1, 2, 3])
def test_very_few_files_without_held_out_ones(count):
    measure = OwnMeasure("image", Discriminators(MODEL).eval(), loader(count), None)
    found = measure(samples(8, 3))
    assert found.to_held_out is None and all(np.isfinite(v) for v in found.as_dict("image").values())


def test_figures_go_through_the_runs_rows(measure):
    found = measure(samples(16, 2), ["low", "high"] * 8)
    assert None not in (found.caption_match, found.to_held_out_low, found.detail)
    assert Measures.from_dict(found.as_dict("image"), "image") == found


def test_banks():
    rows, places, concepts = bank(loader(5), "image")
    assert rows.shape == (5, 1, SIZE, SIZE) and places == [0, 1, 2, 3, 4] and concepts[1] == "high"
    assert len(bank(loader(5), "audio")[0]) == 0


def test_energy_distance_of_shifted_clouds():
    one, two = torch.randn(400, 3), torch.randn(400, 3)
    assert abs(energy_distance(one, two)) < 0.05
    assert energy_distance(one, two + 10) == pytest.approx(2 * 300**0.5 - 4 * 3**0.5 * 0.65 * 2 / 2, rel=0.2)
    assert energy_distance(one[:1], two[:1]) > 0


def test_variety_under_one_caption_is_told_from_variety_among_captions(measure):
    rows = loader(40).rows("image", range(40))
    concepts = [("low", "high")[i % 2] for i in range(40)]
    assert measure(rows, concepts).variety == pytest.approx(1, abs=1e-3)
    assert 0.7 < measure(samples(40, 2), concepts).variety < 1.4
    one_a_caption = measure(rows[[0, 1]].repeat(20, 1, 1, 1), concepts)
    assert one_a_caption.variety == pytest.approx(0, abs=0.01) and one_a_caption.diversity > 0.3
    assert any("Under one caption its pictures vary 0%" in str(s) for s in describe("image", one_a_caption, None))
    assert measure(rows).variety is None  # nobody said what was asked for
    assert measure(rows[:2], ["low", "high"]).variety is None  # one sample of each says nothing


def far(rows):
    """The same gratings, dark throughout: another kind, so that the two splits have disjoint answers."""
    return (rows * 0.2 - 0.8).clamp(-1, 1)


class Two(Waves):
    """Files whose kind tells the split: held-out ones are dark."""

    def __init__(self, count, seed):
        super().__init__(count, seed)
        self.pictures = (self.pictures * 0.2).astype(np.uint8)


def test_each_distance_is_measured_to_its_own_split():
    torch.manual_seed(0)
    critics = Discriminators(MODEL).eval()
    measure = OwnMeasure("image", critics, loader(40), Loader(Two(20, 1), MODEL))
    like_held, like_learned = measure(far(samples(32, 9))), measure(samples(32, 9))
    assert like_held.to_held_out < 0.1 * like_held.to_training
    assert like_learned.to_training < 0.1 * like_learned.to_held_out


def test_a_rank_beyond_the_first_counts_neighbours_and_not_the_point_itself():
    training = torch.tensor([[0.0], [1.0], [10.0]])
    held = torch.tensor([[2.0], [3.0]])
    found = metrics.memorisation(torch.tensor([[0.0], [5.0]]), training, held)
    assert found["generated_median"] == 2.0 and found["held_out_median"] == 1.5  # 0 and 4; 1 and 2
    assert metrics.memorisation(training, training)["held_out_median"] == 1.0  # each other: 1, 1 and 9
    assert found["held_out_p5"] == pytest.approx(1.05) and found["generated_p5"] == pytest.approx(0.2)


class Tones(Waves):
    """Sounds of the blobs beside the pictures of the waves: what is measured tells which of the two was."""

    num_sounds = Blobs.num_sounds
    sound, sound_concept = Blobs.sound, Blobs.sound_concept
    concepts = Blobs.concepts


def test_sounds_are_measured_against_sounds():
    torch.manual_seed(0)
    critics, data = Discriminators(MODEL).eval(), Loader(Tones(40, 0), MODEL)
    measure = OwnMeasure("audio", critics, data, None)
    assert measure.places == list(range(8)) and measure.concepts == ["bright"] * 4 + ["dark"] * 4
    copies = measure(data.rows("audio", range(8)))
    assert copies.copies == 1 and copies.to_training < 0  # nearer than files are to each other
    silence = measure(torch.full((8, MODEL.audio.bands, MODEL.audio.frames), -1.0))
    assert silence.copies == 0 and silence.to_training > 0.5 and silence.diversity == pytest.approx(0, abs=0.01)


def test_of_few_files_no_distance_is_told():
    torch.manual_seed(0)
    few = OwnMeasure("image", Discriminators(MODEL).eval(), loader(40), loader(4, 1))
    found = few(samples(32, 7))
    said = [*map(str, describe("image", found, few(torch.randn(32, 1, SIZE, SIZE))))]
    assert any("Only 4 of your pictures were kept aside" in s for s in said)
    assert not any("Distance" in s for s in said)
    assert not found.trusted and found.distance == found.to_training


def test_the_interval_holds_the_distance_and_narrows_with_files():
    torch.manual_seed(0)
    widths = []
    for count in (10, 160):
        measure = OwnMeasure("image", Discriminators(MODEL).eval(), loader(40), loader(count, 1))
        found = measure(samples(64, 7))
        assert found.trusted and found.to_held_out_low < found.to_held_out < found.to_held_out_high
        widths.append(found.to_held_out_high - found.to_held_out_low)
    assert widths[1] < 0.6 * widths[0]


def test_a_distance_of_bootstrap_draws_is_not_narrowed_by_rows_drawn_twice():
    generator = torch.Generator().manual_seed(3)
    x, y = (torch.randn(30, 5, generator=generator) for _ in range(2))
    low, high = energy_interval(x, y, 400, 0.9)
    assert low < 0 < high  # one cloud: comparing a row with itself would put the whole interval above 0
    far_low, _ = energy_interval(x, y + 3, 400, 0.9)
    assert far_low > 1


class Bright(Waves):
    """ "low" ones are dark and "high" ones bright."""

    def __init__(self, count, seed):
        super().__init__(count, seed)
        self.pictures[::2] //= 3


def test_captions_are_judged_by_what_no_sample_could_please():
    torch.manual_seed(0)
    learned, held = (Loader(Bright(count, seed), MODEL) for count, seed in ((40, 0), (10, 1)))
    measure = OwnMeasure("image", Discriminators(MODEL).eval(), learned, held)
    pictures = learned.rows("image", range(40))
    concepts = [("low", "high")[i % 2] for i in range(40)]
    right, wrong = measure(pictures, concepts), measure(pictures, concepts[::-1])
    assert right.caption_match > 0.9 and wrong.caption_match < 0.1
    assert right.real_caption_match == wrong.real_caption_match > 0.8
    said = [*map(str, describe("image", wrong, None))]
    assert any("most like your pictures of their own caption (of your own pictures" in s for s in said)


def test_a_file_is_no_witness_for_its_own_caption():
    """Every file of its own looks like its caption's mean, which it is part of: noise must score as chance does."""
    torch.manual_seed(0)
    data = Waves(40, 0)
    data.pictures = np.random.default_rng(0).integers(0, 255, data.pictures.shape, dtype=np.uint8)
    measure = OwnMeasure("image", Discriminators(MODEL).eval(), Loader(data, MODEL), None)
    rows = Loader(data, MODEL).rows("image", range(40))
    found = measure(rows, [("low", "high")[i % 2] for i in range(40)])
    assert found.caption_match > 0.9 and found.real_caption_match < 0.75


def test_blurred_pictures_are_told(measure):
    sharp = loader(40).rows("image", range(40)) + 0.3 * torch.randn(40, 1, SIZE, SIZE)
    blurred = torch.nn.functional.avg_pool2d(loader(40).rows("image", range(40)), 9, 1, 4)
    assert measure(sharp).detail > 1 and measure(blurred).detail < BLURRED
    assert any("they have" in str(s) and "fine detail" in str(s) for s in describe("image", measure(blurred), None))
    assert not any("fine detail" in str(s) for s in describe("image", measure(sharp), None))
