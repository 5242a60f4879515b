"""The table of a project: one item a file, and what is wrong with it in one sentence and one suggested act."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..errors import DataError
from .cleaning import REPAIRS
from .cutting import CLIP_SAMPLES
from .examine import CLIPPED_SHARE, FAINT, SHORTEST, SILENT, SMALLEST
from .loader import SOURCE_RATE

CLIP_SECONDS = CLIP_SAMPLES / SOURCE_RATE
MAX_CAPTION = 300  # characters; a model reads a sentence, not a page
KINDS = ("image", "sound")
CUTS = ("loudest", "pieces")
ACTS = ("", "delete", "caption", "cut", "pair", "look")  # what a page offers as a button
_TYPES = {  # of fields whose default does not say it
    "id": int, "name": str, "kind": str, "partner": (int, type(None)), "peaks": list,
    **dict.fromkeys(("seconds", "peak", "clipped"), (float, int)),
}  # fmt: skip
# Names that cameras, phones and recorders give: they say nothing of what is seen or heard.
MACHINE_WORDS = (
    "img dsc dscn dscf pxl mvi gopr dji image photo picture pic screenshot screen shot scan untitled file clip audio "
    "sound voice recording record rec memo track new wa whatsapp copy at am pm edited hdr webcam snapshot mic take "
    "图片 照片 图像 录音 新录音 未命名 屏幕截图 截图 微信图片 副本 微信"
)
HASH_NAME = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}|[0-9a-f]{16,64}")


@dataclass(frozen=True)
class Item:
    """A picture or a sound of a project.

    ``problem`` is a sentence that goes on after the name ("is silent; record it again."), empty where all is well;
    ``act`` is one of ``ACTS``. An item that is not ``used`` stays in the table and out of the dataset.
    """

    id: int
    name: str  # as the person called it
    kind: str  # "image" or "sound"
    file: str = ""  # in the project's folder; empty where the file was broken and is not kept
    caption: str = ""
    partner: int | None = None  # the sound that a picture has, or the picture that a sound has
    digest: str = ""  # SHA-256 of the file
    size: int = 0  # bytes
    error: str = ""  # why it cannot be read
    width: int = 0  # pixels
    height: int = 0
    seconds: float = 0.0
    rate: int = 0  # Hz
    channels: int = 0
    peak: float = 0.0  # 0..1
    clipped: float = 0.0  # share of its samples
    peaks: list[int] = field(default_factory=list)  # a small waveform, 0..100
    repaired: str = ""  # a key of mmgan.data.cleaning.REPAIRS, where bad samples were mended
    cut: str = "loudest"  # of a long sound: its most energetic second, or "pieces"
    pieces: int = 0  # files that hold the pieces, where it is cut into several
    code: str = ""  # of the problem, such as "too_short"
    problem: str = ""
    act: str = ""
    used: bool = True


def from_json(values: dict) -> Item:
    """An item from untrusted JSON values.

    Raises:
        DataError: a field is missing, unknown or of the wrong type.
    """
    known = {f.name: f for f in dataclasses.fields(Item)}
    try:
        if set(values) - set(known) or values["kind"] not in KINDS or values.get("cut", "loudest") not in CUTS:
            raise ValueError("unknown field or kind")
        for name, value in values.items():
            if not isinstance(value, _TYPES.get(name, type(known[name].default))):
                raise ValueError(name)
        file = values.get("file", "")
        if file and not re.fullmatch(r"originals/[0-9a-f]{20}\.[a-z0-9]{2,5}", file):
            raise ValueError("file")
        if values.get("repaired", "") not in ("", *REPAIRS):
            raise ValueError("repaired")
        if not re.fullmatch(r"([0-9a-f]{64})?", values.get("digest", "")) or not 0 <= values.get("pieces", 0) <= 99:
            raise ValueError("digest or pieces")
        return Item(**values)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError("The project's table is damaged; restore project.json, or delete the project.") from error


def is_machine_name(stem: str) -> bool:
    """Whether a file's name says nothing of what it holds: "IMG_0412", "recording (3)", "微信图片_2024"."""
    stem = unicodedata.normalize("NFC", stem).strip().lower()
    words = re.findall(r"[^\W\d_]+", stem)
    return set(words) <= set(MACHINE_WORDS.split()) or bool(HASH_NAME.fullmatch(stem))


def is_long(item: Item) -> bool:
    """Whether more is in a sound than one clip can hold."""
    return item.kind == "sound" and item.seconds > 1.25 * CLIP_SECONDS


def assess(items: Iterable[Item]) -> list[Item]:
    """The same items with ``code``, ``problem``, ``act`` and ``used`` as they follow from the whole table.

    Partners that are gone, or of the wrong kind, are forgotten.
    """
    items = list(items)
    partners = _partners(items)
    first = originals(items)
    kinds_of_caption: dict[str, set[str]] = defaultdict(set)
    sides = {item.kind for item in items if not item.error}
    for item in items:
        if not item.error:
            kinds_of_caption[item.caption.casefold()].add(item.kind)
    assessed = []
    for item in items:
        partner = partners[item.id]
        item = dataclasses.replace(item, partner=partner.id if partner else None)
        code, problem, act, used = _judge(item, first, kinds_of_caption, sides, partner)
        assessed.append(dataclasses.replace(item, code=code, problem=problem, act=act, used=used))
    return assessed


def originals(items: Iterable[Item]) -> dict[int, Item]:
    """For each item that can be read the first that says the same, which may be itself.

    One sound may belong to many pictures, so the same file twice says two things where its partners differ. Without a
    partner, or with one in which nothing is to be heard or seen, it says nothing that the same file with one does not.
    """
    items = list(items)
    partners = {key: partner and (None if _empty(partner) else partner) for key, partner in _partners(items).items()}
    pairs: dict[tuple, Item] = {}
    alone: dict[tuple, Item] = {}
    for item in items:
        partner, file = partners[item.id], (item.digest, item.kind)
        if item.error:
            continue
        if partner:
            pairs.setdefault((*file, partner.digest), item)
        if file not in alone or (partner and not partners[alone[file].id]):
            alone[file] = item
    found = {}
    for item in items:
        partner, file = partners[item.id], (item.digest, item.kind)
        if not item.error:
            found[item.id] = pairs[(*file, partner.digest)] if partner else alone[file]
    return found


def _partners(items: list[Item]) -> dict[int, Item | None]:
    """The partner of each item; None where it has none, or it is gone, broken or of the same kind."""
    by_id = {item.id: item for item in items}
    found = {}
    for item in items:
        partner = by_id.get(item.partner)
        right = partner is not None and partner.kind != item.kind and not partner.error
        found[item.id] = partner if right else None
    return found


def _empty(item: Item) -> tuple[str, str] | None:
    """(code, sentence) where there is nothing to be heard or seen in a file that can be read."""
    if item.kind == "sound" and item.peak < SILENT:
        return "silent", "is silent; record it again."
    if item.kind == "sound" and item.seconds < SHORTEST:
        return "too_short", f"lasts {item.seconds:.2f} s, too short to learn from; record it again."
    if item.kind == "image" and min(item.width, item.height) < SMALLEST:
        sentence = f"is {item.width} x {item.height} pixels, too small to see anything; choose a larger one."
        return "too_small", sentence
    return None


def _judge(item, first, kinds_of_caption, sides, partner) -> tuple[str, str, str, bool]:
    """The worst that is to be said of an item: (code, sentence, act, used)."""
    if item.error:
        return "broken", f"is left out: {item.error}", "delete", False
    original = first[item.id]
    if original.id != item.id and original.caption.casefold() == item.caption.casefold():
        return "duplicate", f"is the same file as {original.name}; delete one of them.", "delete", False
    if nothing := _empty(item):
        return *nothing, "delete", False
    if not item.caption:
        return "no_caption", "has no caption, so it cannot be learned yet; write what it is.", "caption", False
    if original.id != item.id:
        sentence = f"is the same file as {original.name} under another caption; keep the one that fits."
        return "duplicate", sentence, "look", True
    if item.repaired:
        return "repaired", REPAIRS[item.repaired], "look", True
    if item.clipped > CLIPPED_SHARE:
        sentence = "was recorded too loud, so its peaks are cut off; record it again from further away."
        return "clipped", sentence, "look", True
    if item.kind == "sound" and item.peak < FAINT:
        return "faint", "is hardly louder than the noise; record it again from closer by.", "look", True
    if is_long(item) and item.cut == "loudest":
        sentence = (
            f"lasts {item.seconds:.1f} s and a clip {CLIP_SECONDS:.1f} s: its most energetic second is used; "
            "cut it into pieces to use more of it."
        )
        return "too_long", sentence, "cut", True
    if len(sides) == 2 and partner is None and len(kinds_of_caption[item.caption.casefold()]) == 1:
        this, other = ("picture", "sound") if item.kind == "image" else ("sound", "picture")
        return "no_partner", f"has no {other} to go with it, so the {this} is learned alone.", "pair", True
    return "", "", "", True


@dataclass(frozen=True)
class Summary:
    """What a project holds, counted."""

    pictures: int
    sounds: int
    pairs: int
    captions: int
    left_out: int
    problems: dict[str, int]  # by code

    @property
    def sentence(self) -> str:
        parts = [_count(self.pictures, "picture"), _count(self.sounds, "sound")]
        text = f"{' and '.join(part for part in parts if part) or 'Nothing yet'}"
        if self.pairs:
            text += f", {_count(self.pairs, 'pair')}"
        text += f", under {_count(self.captions, 'caption')}" if self.captions else ""
        return text + (f"; {self.left_out} left out." if self.left_out else ".")


def summarise(items: Iterable[Item], others_left_out: int = 0) -> Summary:
    items = list(items)
    used = [item for item in items if item.used]
    return Summary(
        sum(item.kind == "image" for item in used),
        sum(item.kind == "sound" for item in used),
        sum(picture is not None and sound is not None for _, picture, sound in rows(items)),
        len({item.caption.casefold() for item in used}),
        len(items) - len(used) + others_left_out,
        dict(Counter(item.code for item in items if item.code)),
    )


def rows(items: Iterable[Item]) -> list[tuple[str, Item | None, Item | None]]:
    """The dataset's rows: (caption, picture, sound). A sound may belong to several pictures, and a picture to several
    sounds: each such pair is a row."""
    used = {item.id: item for item in items if item.used}
    table, taken = [], set()
    for item in used.values():
        if item.kind == "image":
            sound = used.get(item.partner)
            taken.add(sound.id if sound else None)
            table.append((item.caption, item, sound))
    for item in used.values():
        if item.kind == "sound" and item.id not in taken:
            table.append((item.caption, used.get(item.partner), item))
    return table


def sound_names(item: Item | None) -> list[str]:
    """The files of a sound in the dataset, relative to the project's folder: itself, or its pieces."""
    if item is None:
        return []
    return [piece_name(item, number + 1) for number in range(item.pieces)] if item.pieces else [item.file]


def piece_name(item: Item, number: int) -> str:
    return f"pieces/{item.digest[:20]}-{number:02d}.wav"


def _count(number: int, word: str) -> str:
    return "" if not number else f"{number:,} {word}{'' if number == 1 else 's'}"
