"""A person's own dataset: a folder or zip of pictures and sounds (layouts: :mod:`mmgan.data.folder.reading`)."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from ...audio.waveform import SOURCE_RATE
from ...config import AudioConfig
from ...errors import DataError
from ...language import Message
from ..base import Dataset, Prompt, Row
from ..media.cleaning import REPAIRS
from ..media.cutting import cut_pieces, loudest_part
from ..media.decoding import UNREADABLE
from ..media.preview import decode_picture, hear_file
from .archive import open_files
from .layout import Entry, Problem
from .names import readable
from .own_output import refuse_own
from .reading import Reading, read_layout

HELD_OUT_FROM = 20  # rows; of fewer, every one is needed for learning
KEPT_SIDE = 256  # pixels of a kept picture's shorter side: no model sees more
KEPT_BYTES = 256 << 20  # of decoded pictures, and of sounds; what is beyond is read again at each use
GREY_TOLERANCE = 4  # levels by which the channels of a grey JPEG may differ
SOMETHING_ELSE = "something else"  # the wrong caption where a dataset has only one


@dataclass
class _Group:
    """The files of one caption: indices into the banks, and the spellings of the caption."""

    texts: list[str] = field(default_factory=list)
    images: list[int] = field(default_factory=list)
    sounds: list[int] = field(default_factory=list)


class Folder(Dataset):
    """Pictures and sounds of a folder or zip.

    The concept of a row is its caption (upper and lower case are one). Where a caption has several pictures and sounds,
    each row pairs a picture of it with a sound of it at random; a caption with pictures only, or sounds only, gives
    rows that lack the other. ``wrong_text`` is another caption; in a dataset with a single caption it is the fixed
    sentence ``SOMETHING_ELSE``, so that a critic still learns that the text matters.

    From 20 rows on, a tenth is held out by a hash of the file names, captions that stay in training going first:
    ``split="train"`` lacks it, ``"test"`` is it. Sounds longer than ``audio.num_samples`` give their loudest part or,
    with ``pieces``, one part after another (:func:`mmgan.data.media.cutting.cut_pieces`); no recording is in both
    splits.

    Every file is decoded once on opening. What cannot be used is listed in ``problems`` and left out; ``notes`` say
    what a person should know of what is used, such as a guessed encoding (``encoding`` sets it: see
    :func:`~mmgan.data.folder.reading.read_layout`).

    Raises:
        DataError: nothing there, a zip that is not safe to open, or no usable row at all.
    """

    def __init__(
        self, source: str | Path, split: str = "train", audio: AudioConfig = AudioConfig(), pieces: bool = False,
        progress: bool = False, encoding: str | None = None,
    ):  # fmt: skip
        if split not in ("train", "test", "all"):
            raise DataError("data.no_split", split=split)
        self.name, self.split = readable(Path(source).stem) or "folder", split
        self._num_samples = round(audio.num_samples * SOURCE_RATE / audio.sampling_rate)
        opened = open_files(source)
        refuse_own(Path(source).resolve().name, opened.names, opened.read)
        self._kept: dict[str, Any] = {}  # pictures, and sounds as arrays
        self._room = {"image": KEPT_BYTES, "sound": KEPT_BYTES}
        layout = read_layout(opened, encoding)
        self._files, entries, self.problems = layout.files, layout.entries, layout.problems
        self.notes = guesses(layout.readings, entries)
        self._cuts = pieces
        self._parts: dict[str, list[str]] = {}  # file of a sound -> names of what it gives
        self._part_of: dict[str, tuple[str, int]] = {}  # such a name -> file, number
        entries = self._usable(entries, progress)
        if not entries:
            name = readable(Path(source).name)
            if not self.problems:
                raise DataError("data.no_media", name=name)
            first = self.problems[0]
            raise DataError("data.no_media_first", name=name, file=first.file, reason=first.message)
        held_out = _held_out(entries)
        if split == "test" and not held_out:
            raise DataError("data.too_few_rows", name=readable(Path(source).name), count=HELD_OUT_FROM)
        train = [entry for i, entry in enumerate(entries) if i not in held_out]
        if split == "test":  # a file that training uses as well is not held out
            seen = {name for entry in train for name in (entry.image, entry.sound)}
            entries = [
                Entry(e.text, None if e.image in seen else e.image, None if e.sound in seen else e.sound)
                for i, e in enumerate(entries)
                if i in held_out
            ]
        elif split == "train":
            entries = train
        self._fill_banks([Entry(e.text, e.image, part) for e in entries for part in self._parts_of(e.sound)])

    def _parts_of(self, sound: str | None) -> list[str] | list[None]:
        return [None] if sound is None else self._parts.get(sound, [sound])

    def _usable(self, entries: list[Entry], progress: bool) -> list[Entry]:
        """The entries without broken files; finds out whether all pictures are grey."""
        good: dict[str | None, bool] = {}
        self.image_channels = 1
        for entry in tqdm(entries, "Reading files", unit="row", disable=not progress, leave=False):
            for kind, name, decode in (
                ("image", entry.image, self._decode_image), ("sound", entry.sound, self._cut_sound)
            ):  # fmt: skip
                if name is None or name in good:
                    continue
                try:
                    item = decode(name)
                except Exception as error:  # a decoder may raise anything; the other files are learned from
                    good[name] = False
                    why = error.message if isinstance(error, DataError) else UNREADABLE[kind]
                    self.problems.append(Problem(name, Message("projects.problem_broken", reason=why)))
                    continue
                good[name] = True
                if isinstance(item, Image.Image) and not _is_grey(item):
                    self.image_channels = 3
        kept = (
            Entry(e.text, e.image if good.get(e.image) else None, e.sound if good.get(e.sound) else None)
            for e in entries
        )
        return [entry for entry in kept if entry.image or entry.sound]

    def _fill_banks(self, entries: list[Entry]) -> None:
        self._image_names = sorted({entry.image for entry in entries if entry.image})
        self._sound_names = sorted({entry.sound for entry in entries if entry.sound})
        image_index = {name: i for i, name in enumerate(self._image_names)}
        sound_index = {name: i for i, name in enumerate(self._sound_names)}
        groups: dict[str, _Group] = {}
        for entry in entries:
            if not (entry.image or entry.sound):
                continue
            group = groups.setdefault(entry.text.casefold(), _Group())
            if entry.text not in group.texts:
                group.texts.append(entry.text)
            if entry.image and image_index[entry.image] not in group.images:
                group.images.append(image_index[entry.image])
            if entry.sound and sound_index[entry.sound] not in group.sounds:
                group.sounds.append(sound_index[entry.sound])
        self._groups = sorted(groups.values(), key=lambda group: group.texts[0])
        sizes = np.array([max(len(group.images), len(group.sounds)) for group in self._groups], dtype=np.float64)
        self._weights = sizes / sizes.sum()
        self._image_group = {i: group for group in self._groups for i in group.images}
        self._sound_group = {i: group for group in self._groups for i in group.sounds}

    @property
    def num_images(self) -> int:
        return len(self._image_names)

    @property
    def num_sounds(self) -> int:
        return len(self._sound_names)

    def image(self, index: int) -> Image.Image:
        return self._decode_image(self._image_names[index])

    def sound(self, index: int) -> np.ndarray:
        return self._decode_sound(self._sound_names[index])

    def rows(self, rng: np.random.Generator, count: int) -> list[Row]:
        drawn = rng.choice(len(self._groups), size=count, p=self._weights)
        for i in range(1, count, 2):
            group = self._groups[drawn[i - 1]]
            if len(group.images) > 1 or len(group.sounds) > 1:
                drawn[i] = drawn[i - 1]  # twins
        picks = rng.random((count, 4))  # of text, picture, sound, wrong caption
        return [self._row(int(i), *pick) for i, pick in zip(drawn, picks.tolist(), strict=True)]

    def _row(self, drawn: int, text: float, image: float, sound: float, wrong: float) -> Row:
        group, wrong_text = self._groups[drawn], SOMETHING_ELSE
        if len(self._groups) > 1:
            other = int(wrong * (len(self._groups) - 1))
            wrong_text = self._groups[other + (other >= drawn)].texts[0]
        return Row(
            _pick(group.texts, text), wrong_text, _pick(group.images, image), _pick(group.sounds, sound), group.texts[0]
        )

    @property
    def concepts(self) -> list[str]:
        return [group.texts[0] for group in self._groups]

    def image_concept(self, index: int) -> str:
        return self._image_group[index].texts[0]

    def sound_concept(self, index: int) -> str:
        return self._sound_group[index].texts[0]

    def prompts(self) -> list[Prompt]:
        """The captions, each in every spelling it has."""
        return [Prompt(text, group.texts[0]) for group in self._groups for text in group.texts]

    def _decode_image(self, name: str) -> Image.Image:
        if name in self._kept:
            return self._kept[name].copy()
        # The short side may be either side of the picture, so the draft must keep both large enough.
        image = decode_picture(self._files.read(name), draft=KEPT_SIDE)
        scale = KEPT_SIDE / min(image.size)
        if scale < 1:
            size = round(image.width * scale), round(image.height * scale)
            image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
        self._keep("image", name, image, image.width * image.height * len(image.getbands()))
        return image

    def _decode_sound(self, part: str) -> np.ndarray:
        if part in self._kept:
            return self._kept[part].copy()
        file, number = self._part_of[part]
        return self._cut_sound(file)[number]

    def _cut_sound(self, file: str) -> list[np.ndarray]:
        """The sounds taken from a file, each float32 [n]: its loudest part, or its pieces."""
        heard = hear_file(self._files.read(file))
        waveform = heard.waveform()
        if not len(waveform) or np.abs(waveform).max() < 1e-4:
            raise DataError("media.silent")
        if heard.repaired and file not in self._parts:  # said once, however often it is read
            self.problems.append(Problem(file, REPAIRS[heard.repaired]))
        cut = cut_pieces(waveform, self._num_samples) if self._cuts else [loudest_part(waveform, self._num_samples)]
        self._parts[file] = [f"{file} ({i + 1})" if len(cut) > 1 else file for i in range(len(cut))]
        for number, (part, piece) in enumerate(zip(self._parts[file], cut, strict=True)):
            self._part_of[part] = file, number
            self._keep("sound", part, piece, piece.nbytes)
        return cut

    def _keep(self, kind: str, name: str, item: Image.Image | np.ndarray, size: int) -> None:
        if size <= self._room[kind]:
            self._room[kind] -= size
            self._kept[name] = item.copy()


def guesses(readings: list[Reading], entries: list[Entry]) -> list[Message]:
    """Notes on captions whose encoding was guessed, each with one caption to judge by."""
    example = next((entry.text for entry in entries if not entry.text.isascii()), "")[:60]
    return [
        Message("data.guessed_encoding", name=reading.file, encoding=reading.encoding, caption=example)
        for reading in readings
        if reading.guessed
    ][:1]


def _held_out(entries: list[Entry]) -> set[int]:
    """Indices of the tenth that is held out; none of fewer than 20."""
    if len(entries) < HELD_OUT_FROM:
        return set()
    order = sorted(range(len(entries)), key=lambda i: _hash(entries[i]))
    left = Counter(key for entry in entries for key in _kinds(entry))
    taken: list[int] = []
    for i in order:
        if all(left[key] > 1 for key in _kinds(entries[i])):
            left.subtract(_kinds(entries[i]))
            taken.append(i)
    chosen = set(taken)
    spare = [i for i in order if i not in chosen]
    return set((taken + spare)[: len(entries) // 10])


def _kinds(entry: Entry) -> list[tuple[str, str]]:
    text = entry.text.casefold()
    return [(text, kind) for kind, name in (("image", entry.image), ("sound", entry.sound)) if name]


def _hash(entry: Entry) -> str:
    return hashlib.sha256(f"{entry.image}\n{entry.sound}".encode("utf-8", "surrogateescape")).hexdigest()


def _is_grey(image: Image.Image) -> bool:
    if image.mode == "L":
        return True
    pixels = np.asarray(image).astype(np.int16)
    return int((pixels.max(axis=2) - pixels.min(axis=2)).max()) <= GREY_TOLERANCE


def _pick(items: list, where: float):
    return items[int(where * len(items))] if items else None
