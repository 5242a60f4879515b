"""The table of a project: one item a file, and what is wrong with it in one sentence and one suggested act."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..audio.waveform import SOURCE_RATE
from ..data.media.cleaning import REPAIRS
from ..data.media.cutting import CLIP_SAMPLES
from ..data.media.preview import CLIPPED_SHARE, FAINT, SHORTEST, SILENT, SMALLEST
from ..errors import DataError
from ..language import NOTHING, Message

CLIP_SECONDS = CLIP_SAMPLES / SOURCE_RATE
MAX_CAPTION = 300  # characters; a model reads a sentence, not a page
KINDS = ("image", "sound")
CUTS = ("loudest", "pieces")
ACTS = ("", "delete", "caption", "cut", "pair", "look")  # what a page offers as a button
_TYPES: dict[str, type | tuple[type, ...]] = {  # types of fields whose default does not tell the type
    "id": int, "name": str, "kind": str, "partner": (int, type(None)), "peaks": list,
    **dict.fromkeys(("seconds", "peak", "clipped"), (float, int)),
}  # fmt: skip
# Words of names that cameras, phones and recorders give; they say nothing of what is seen or heard.
MACHINE_WORDS = (
    "img dsc dscn dscf pxl mvi gopr dji image photo picture pic screenshot screen shot scan untitled file clip audio "
    "sound voice recording record rec memo track new wa whatsapp copy at am pm edited hdr webcam snapshot mic take "
    "图片 照片 图像 录音 新录音 未命名 屏幕截图 截图 微信图片 副本 微信"
)
HASH_NAME = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}|[0-9a-f]{16,64}")


@dataclass(frozen=True)
class Item:
    """A picture or a sound of a project.

    ``message`` goes on after the name ("is silent; record it again."), and is false where all is well; ``act`` is one
    of ``ACTS``. An item that is not ``used`` stays in the table and out of the dataset.
    """

    id: int
    name: str  # as the person called it
    kind: str  # "image" or "sound"
    file: str = ""  # in the project's folder; empty where the file was broken and is not kept
    caption: str = ""
    partner: int | None = None  # the sound that a picture has, or the picture that a sound has
    digest: str = ""  # SHA-256 of the file
    size: int = 0  # bytes
    error: Message = NOTHING  # why it cannot be read
    width: int = 0  # pixels
    height: int = 0
    seconds: float = 0.0
    rate: int = 0  # Hz
    channels: int = 0
    peak: float = 0.0  # 0..1
    clipped: float = 0.0  # share of its samples
    peaks: list[int] = field(default_factory=list)  # a small waveform, 0..100
    repaired: str = ""  # a key of mmgan.data.media.cleaning.REPAIRS, where bad samples were mended
    cut: str = "loudest"  # of a long sound: its most energetic second, or "pieces"
    pieces: int = 0  # files that hold the pieces, where it is cut into several
    code: str = ""  # of the problem, such as "too_short"
    message: Message = NOTHING  # the problem in words, which go on after the name
    act: str = ""
    used: bool = True

    @property
    def problem(self) -> str:
        """The message in English."""
        return str(self.message)


def from_json(values: dict) -> Item:
    """An item from untrusted JSON values.

    Raises:
        DataError: a field is missing, unknown or of the wrong type.
    """
    known = {f.name: f for f in dataclasses.fields(Item)}
    try:
        if set(values) - set(known) or values["kind"] not in KINDS or values.get("cut", "loudest") not in CUTS:
            raise ValueError("unknown field or kind")
        values = {**values, "error": Message.from_json(values.get("error", ""))}
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
        raise DataError("projects.damaged") from error


def is_machine_name(stem: str) -> bool:
    """Whether a file's name says nothing of what it holds: "IMG_0412", "recording (3)", "微信图片_2024"."""
    stem = unicodedata.normalize("NFC", stem).strip().lower()
    words = re.findall(r"[^\W\d_]+", stem)
    return set(words) <= set(MACHINE_WORDS.split()) or bool(HASH_NAME.fullmatch(stem))


def is_long(item: Item) -> bool:
    """Whether more is in a sound than one clip can hold."""
    return item.kind == "sound" and item.seconds > 1.25 * CLIP_SECONDS


def assess(items: Iterable[Item]) -> list[Item]:
    """The same items with ``code``, ``message``, ``act`` and ``used``, which depend on the whole table.

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
        code, message, act, used = _judge(item, first, kinds_of_caption, sides, partner)
        assessed.append(dataclasses.replace(item, code=code, message=message, act=act, used=used))
    return assessed


def originals(items: Iterable[Item]) -> dict[int, Item]:
    """For each readable item the first one that it repeats, which may be itself.

    One sound may belong to many pictures, so the same file twice is no repetition if its partners differ. Without a
    partner, or with an empty one, it repeats any item of the same file.
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
            pair = (*file, partner.digest) if partner else None
            found[item.id] = pairs[pair] if pair else alone[file]
    return found


def _partners(items: list[Item]) -> dict[int, Item | None]:
    """The partner of each item; None where it has none, or it is gone, broken or of the same kind."""
    by_id: dict[int | None, Item] = {item.id: item for item in items}
    found = {}
    for item in items:
        partner = by_id.get(item.partner)
        right = partner is not None and partner.kind != item.kind and not partner.error
        found[item.id] = partner if right else None
    return found


def _empty(item: Item) -> tuple[str, Message] | None:
    """(code, message) where there is nothing to be heard or seen in a file that can be read."""
    if item.kind == "sound" and item.peak < SILENT:
        return "silent", Message("projects.problem_silent")
    if item.kind == "sound" and item.seconds < SHORTEST:
        return "too_short", Message("projects.problem_too_short", seconds=item.seconds)
    if item.kind == "image" and min(item.width, item.height) < SMALLEST:
        return "too_small", Message("projects.problem_too_small", width=item.width, height=item.height)
    return None


def _judge(item, first, kinds_of_caption, sides, partner) -> tuple[str, Message, str, bool]:
    """The worst that is to be said of an item: (code, message, act, used)."""
    if item.error:
        return "broken", Message("projects.problem_broken", reason=item.error), "delete", False
    original = first[item.id]
    if original.id != item.id and original.caption.casefold() == item.caption.casefold():
        return "duplicate", Message("projects.problem_duplicate", original=original.name), "delete", False
    if nothing := _empty(item):
        return *nothing, "delete", False
    if not item.caption:
        return "no_caption", Message("projects.problem_no_caption"), "caption", False
    if original.id != item.id:
        return "duplicate", Message("projects.problem_duplicate_caption", original=original.name), "look", True
    if item.repaired:
        return "repaired", REPAIRS[item.repaired], "look", True
    if item.clipped > CLIPPED_SHARE:
        return "clipped", Message("projects.problem_clipped"), "look", True
    if item.kind == "sound" and item.peak < FAINT:
        return "faint", Message("projects.problem_faint"), "look", True
    if is_long(item) and item.cut == "loudest":
        message = Message("projects.problem_too_long", seconds=item.seconds, clip=CLIP_SECONDS)
        return "too_long", message, "cut", True
    if len(sides) == 2 and partner is None and len(kinds_of_caption[item.caption.casefold()]) == 1:
        return "no_partner", Message(f"projects.problem_no_partner_{item.kind}"), "pair", True
    return "", NOTHING, "", True


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
    def message(self) -> Message:
        def counted(name: str) -> Message:
            count = getattr(self, name)
            return Message(f"projects.summary_{name}", count=count) if count else NOTHING

        holds = [*filter(None, [counted("pictures"), counted("sounds")])] or Message("projects.summary_nothing")
        whole = Message("projects.summary", holds=holds, pairs=counted("pairs"), captions=counted("captions"))
        return Message("list.clauses", parts=[*filter(None, [whole, counted("left_out")])])

    @property
    def sentence(self) -> str:
        """The message in English."""
        return str(self.message)


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
    used: dict[int | None, Item] = {item.id: item for item in items if item.used}
    table: list[tuple[str, Item | None, Item | None]] = []
    taken = set()
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
