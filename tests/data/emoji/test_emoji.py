"""The emoji: banks that are functions of the index, captions that are true, files that are whole."""

import io
import tarfile
from collections import Counter

import numpy as np
import pytest
import small_emoji
from needed import data_folder
from PIL import Image

from mmgan.data import load_dataset
from mmgan.data.emoji import asking, captions, files
from mmgan.data.emoji.captions import STYLES
from mmgan.data.emoji.colours import COLOURS, distance, main_hue
from mmgan.data.emoji.dataset import KINDS, Emoji
from mmgan.data.emoji.showing import together
from mmgan.errors import DataError


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A machine that has the made-up emoji, and nothing else."""
    monkeypatch.setenv("MMGAN_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    small_emoji.write(tmp_path / "data" / "emoji")
    return tmp_path / "data"


@pytest.fixture
def emoji(here):
    return Emoji()


def add_sounds(folder, **changes):
    """Two clips of each of two classes, one for each split; the second is half as long as the first."""
    labels = np.array([0, 0, 1, 1], np.int16)
    arrays = {
        "audio": np.full((4, 16_384), 8_192, np.int16), "label": labels, "label_names": np.array(["dog bark", "rain"]),
        "split": np.array(["train", "test"] * 2), "n_valid": np.array([16_384, 8_192] * 2),
    }  # fmt: skip
    (folder / "sounds").mkdir(exist_ok=True)
    np.savez(folder / "sounds" / "esc10.npz", **(arrays | changes))


def meaning(dataset, index):
    """Kind, things, colour of a picture of the bank, from its concept."""
    things, colour = asking.things(dataset.image_concept(index))
    return ("two" if len(things) == 2 else "colour" if colour else "plain"), things, colour


# --- banks


def test_the_split_holds_out_things_in_every_picture(emoji):
    test = load_dataset("emoji", "test")
    names = [
        {thing for index in range(split.num_images) for thing in meaning(split, index)[1]} for split in (emoji, test)
    ]
    assert names == [{"barn", "pond", "tower", "snow", "dog"}, {"gate"}]
    assert (len(emoji.pictures), len(test.pictures)) == (20, 4)
    assert not {picture.packed for picture in emoji.pictures} & {picture.packed for picture in test.pictures}


def test_every_picture_shows_its_concept(emoji):
    kinds = Counter()
    for index in range(emoji.num_images):
        picture, (kind, things, colour) = emoji.image(index), meaning(emoji, index)
        assert picture.mode == "RGB" and picture.size == (128, 128)
        assert emoji.image_concept(index) in emoji.concepts
        kinds[kind] += 1
        if kind == "plain":
            code = emoji.known[emoji.pictures[index].concept].hexcode
            assert np.array_equal(picture, small_emoji.draw(code, emoji.pictures[index].style))
        if colour and things != ("snow",) and COLOURS[colour].keeps_hue:
            assert distance(main_hue(picture), COLOURS[colour].hue) <= 12
    assert kinds == {"plain": 20, "colour": 20 * len(COLOURS), "two": 4 * len(emoji.pairs)}
    assert sorted(emoji.pairs) == emoji.pairs and len(set(emoji.pairs)) == len(emoji.pairs) == 10
    with pytest.raises(IndexError):
        emoji.image(emoji.num_images)


def test_the_bank_is_the_same_every_time(emoji):
    again = Emoji()
    for index in range(0, emoji.num_images, 7):
        assert np.array_equal(emoji.image(index), again.image(index))
    assert emoji.rows(np.random.default_rng(5), 20) == again.rows(np.random.default_rng(5), 20)
    assert emoji.rows(np.random.default_rng(5), 20) != again.rows(np.random.default_rng(6), 20)


def test_a_grey_thing_has_no_other_colour(emoji):
    snow = next(place for place in emoji.things if emoji.known[place].english == "snow")
    assert emoji.colours_of(snow) == []
    plain = emoji.of[snow][0]
    assert np.array_equal(emoji.image(emoji.coloured(plain, "red")), emoji.plain(plain))


def test_two_things_stand_side_by_side(emoji):
    first, second = small_emoji.draw("A1", "noto"), small_emoji.draw("A2", "noto")
    whole = np.asarray(together(first, second))
    narrow = [np.asarray(picture.resize((72, 112), Image.Resampling.BOX)) for picture in (first, second)]
    assert np.array_equal(whole[8:120, :56], narrow[0][:, :56])  # what no other reaches
    assert np.array_equal(whole[8:120, 72:], narrow[1][:, 16:])
    assert np.array_equal(whole[8:120, 56:72], np.minimum(narrow[0][:, 56:], narrow[1][:, :16]))
    assert (whole[:8] == 255).all() and (whole[120:] == 255).all()


def test_a_style_that_a_thing_lacks_is_another_of_its_own(here):
    small_emoji.write(here / "emoji", lacking=[("A1", "fluent3d"), ("A1", "noto")])
    emoji = Emoji()
    assert len(emoji.pictures) == 18
    for pair, places in enumerate(emoji.pairs):
        for style in range(4):
            assert emoji.image_concept(emoji.paired(pair, style)) == asking.name(emoji.known, *places)
            emoji.image(emoji.paired(pair, style))


# --- rows


def test_rows_are_true_and_their_wrong_captions_false(emoji):
    rows, kinds = emoji.rows(np.random.default_rng(0), 4_000), Counter()
    for row in rows:
        kind, things, colour = meaning(emoji, row.image)
        assert row.concept == emoji.image_concept(row.image) and row.wrong_text != row.text
        said = [thing for thing in ("barn", "pond", "tower", "snow", "dog") if named(emoji, thing, row.text)]
        assert sorted(said) == sorted(things), row
        if colour:
            assert COLOURS[colour].english in row.text or COLOURS[colour].chinese in row.text
        style = style_said(row.text) if kind == "plain" else None
        assert style in (None, emoji.pictures[row.image].style if kind == "plain" else None), row
        wrong = [thing for thing in ("barn", "pond", "tower", "snow", "dog") if named(emoji, thing, row.wrong_text)]
        same_thing = sorted(wrong) == sorted(things)
        other_colour = colour and not (
            COLOURS[colour].english in row.wrong_text or COLOURS[colour].chinese in row.wrong_text
        )
        assert not same_thing or other_colour or style_said(row.wrong_text) not in (None, style), row
        assert "gate" not in row.text + row.wrong_text and "大门" not in row.text + row.wrong_text
        kinds["style" if style else kind] += 1
    for kind, share in KINDS.items():
        assert abs(kinds[kind] / len(rows) - share) < 0.06, kinds


def named(emoji, thing, text):
    chinese = next(concept.chinese for concept in emoji.known if concept.english == thing)
    return thing in text or chinese in text


def style_said(text):
    found = {style for style, words in STYLES.items() for word in (*words[0], *words[1]) if word in text}
    return next(iter(found), None)


def test_twins_are_two_pictures_of_one_thing(emoji):
    rows = emoji.rows(np.random.default_rng(1), 1_001)
    assert len(rows) == 1_001
    for one, other in zip(rows[:1_000:2], rows[1:1_000:2], strict=True):
        assert one.concept == other.concept and one.image != other.image


def test_things_that_cannot_be_told_apart_by_colour_words(emoji):
    red = captions.Concept("B1", "red barn", "红谷仓")
    barn = next(concept for concept in emoji.known if concept.english == "barn")
    assert "red" in asking.may_have(barn, {"barn", "pond"})
    assert "red" not in asking.may_have(barn, {"barn", "red barn"})
    assert "red" in asking.may_have(red, {"barn", "red barn"})


# --- sounds


def test_sounds_belong_to_their_things(here):
    add_sounds(here)
    emoji, test = Emoji(), Emoji("test")
    assert (emoji.num_sounds, test.num_sounds) == (1, 1)  # there is no cloud with rain among the made-up things
    assert emoji.sound_concept(0) == "dog" and emoji.sound(0).dtype == np.float32 and emoji.sound(0).max() == 0.25
    assert test.sound(0)[8_191] == 0.25 and test.sound(0)[8_192] == 0
    assert test.sound_concept(0) in test.concepts
    rows = emoji.rows(np.random.default_rng(0), 1_000)
    assert all(row.sound is None or row.concept == "dog" for row in rows)
    assert sum(row.sound is not None for row in rows) > 100


def test_without_sounds_there_are_none(emoji):
    assert emoji.num_sounds == 0 and all(row.sound is None for row in emoji.rows(np.random.default_rng(0), 200))


@pytest.mark.parametrize("changes", [{"audio": np.zeros((4, 9), np.float32)}, {"label": np.full(4, 7, np.int16)}])
def test_broken_sounds_are_named(here, changes):
    add_sounds(here, **changes)
    with pytest.raises(DataError, match=r"esc10\.npz is broken"):
        Emoji()


# --- prompts


def test_prompts_use_words_that_training_never_does(emoji):
    prompts, asked = emoji.prompts(), emoji.asked
    assert len({prompt.text for prompt in prompts}) == len(prompts) and prompts == Emoji().prompts()
    trained = {row.text for row in emoji.rows(np.random.default_rng(0), 4_000)}
    assert not trained & {prompt.text for prompt in prompts}
    assert {one.kind for one in asked} == {"plain", "style", "colour", "two", "new"}
    for prompt, one in zip(prompts, asked, strict=True):
        things, colour = asking.things(prompt.concept)
        assert colour == one.colour and all(named(emoji, thing, prompt.text) for thing in things)
        assert (one.kind == "new") == ("gate" in things)
    assert len(emoji.examples) == 12 and sum(not text.isascii() for text in emoji.examples) >= 3


# --- files


def test_unknown_split(here):
    with pytest.raises(DataError, match="no split 'valid'; choose train or test"):
        Emoji("valid")


@pytest.mark.parametrize("name", files.NAMES)
@pytest.mark.parametrize("content", [b"", b"neither", "half"])
def test_a_broken_file_is_named(here, name, content):
    path = here / "emoji" / name
    half = path.read_bytes()[: path.stat().st_size // 2 + 300]
    path.write_bytes(half if content == "half" else content)
    if name == "concepts.csv" and content == "half":
        return  # fewer rows are still a table
    with pytest.raises(DataError, match=rf"{name.replace('.', '[.]')} is broken; delete it"):
        emoji = Emoji()
        [emoji.plain(index) for index in range(len(emoji.pictures))]


def test_other_things_in_a_tar_are_refused(here):
    def spoil(data, kind=tarfile.REGTYPE):
        with tarfile.open(here / "emoji" / "noto.tar", "w") as tar:
            member = tarfile.TarInfo("A1.webp")
            member.size, member.type, member.linkname = len(data), kind, "/etc/passwd"
            tar.addfile(member, io.BytesIO(data))
        with pytest.raises(DataError, match=r"noto\.tar is broken"):
            list(files.load_pictures("noto"))

    spoil(b"GIF89a")
    spoil(b"", tarfile.SYMTYPE)
    spoil(b"\0" * (files.MOST_BYTES + 1))


def test_the_cache_is_looked_at_after_mmgan_data(here, monkeypatch):
    assert files.present()
    monkeypatch.delenv("MMGAN_DATA")
    assert not files.present()
    small_emoji.write(files.cache_folder())
    assert files.present() and len(Emoji().pictures) == 20


# --- the real ones


@pytest.fixture(scope="module")
def real():
    data_folder("emoji")
    return Emoji()


def test_the_published_emoji(real):
    test = Emoji("test")
    assert (len(real.known), len(real.things), len(test.things)) == (1_275, 1_211, 64)
    assert len(real.pictures) + len(test.pictures) == 5_054
    held_out = {test.known[place].english for place in test.things}
    for row in real.rows(np.random.default_rng(0), 500):
        assert not set(asking.things(row.concept)[0]) & held_out
    assert not any(asking.AND in concept.english or concept.english in COLOURS for concept in real.known)
    named_things = {concept.english for concept in real.known}
    for concept in [*real.concepts[::50], *test.concepts]:
        assert set(asking.things(concept)[0]) <= named_things


def test_prompts_of_the_published_emoji(real):
    prompts = real.prompts()
    counts = Counter(one.kind for one in real.asked)
    assert counts.pop("plain") in range(300, 311) and {"plain": 300, **counts} == {**asking.COUNTS, "new": 128}
    asked = {prompt.concept for prompt in prompts}
    assert all(real.known[place].english in asked for place in real.sounding)
    assert len({prompt.text for prompt in prompts}) == len(prompts)
