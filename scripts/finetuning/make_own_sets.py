"""Makes small sets like those that people bring, to measure fine-tuning with: python
scripts/finetuning/make_own_sets.py OUT

    animals     photographs of animals with their recordings
    fruit       drawings with words spoken by espeak-ng (and the drawings of $MMGAN_DATA/emoji)
    percussion  sounds alone
    places      photographs alone, with backgrounds

Each is a folder for each caption, with a README that says how it was made and under which licences. The files come from
Debian packages that `apt-get download` fetches into a cache folder; nothing is installed. OUT/sets.png shows all.
`scripts/finetuning/compare_finetuning.py` measures on them.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import struct
import subprocess
import tarfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from mmgan.audio.waveform import SOURCE_RATE, write_wav
from mmgan.config import ModelConfig, with_values
from mmgan.data.folder.dataset import Folder
from mmgan.data.loader import Loader
from mmgan.data.media.cutting import CLIP_SAMPLES, cut_pieces, loudest_part
from mmgan.data.media.preview import decode_sound
from mmgan.evaluation.report import sample_sheet
from mmgan.image.pictures import upright
from scripts.finetuning.own_sets_files import ANIMALS, PERCUSSION, by_caption

SIDE = 256  # pixels of a stored picture's longer side
PACKAGES = {
    "tuxpaint-stamps-default": "GPL-2; its authors are named in its docs",
    "gcompris-qt-data": "each file its own, CC BY, CC BY-SA, CC0, GPL or public domain: see its copyright file",
    "hydrogen-drumkits": "each kit its own, GPL-2, CC BY, CC BY-SA or CC0: see its copyright file",
    "sonic-pi-samples": "its samples CC0: see its copyright file",
    "espeak-ng": "GPL-3+, a program: what it speaks is free of that",
    "espeak-ng-data": "GPL-3+",
    "libespeak-ng1": "GPL-3+",
    "libpcaudio0": "GPL-3+",
    "libsonic0": "Apache-2.0",
}
STAMPS = "tuxpaint-stamps-default/usr/share/tuxpaint/stamps"
KITS = "hydrogen-drumkits/usr/share/hydrogen/data/drumkits"
SONIC_PI = "sonic-pi-samples/usr/share/sonic-pi/samples"

# caption: (the word, its emoji, its stamp)
FRUIT = {
    "an apple": ("apple", "1F34E", "apple"),
    "a banana": ("banana", "1F34C", "banana"),
    "blueberries": ("blueberries", "1FAD0", "blueberry"),
    "cherries": ("cherries", "1F352", "cherries"),
    "grapes": ("grapes", "1F347", "grapes"),
    "a lemon": ("lemon", "1F34B", "lemon"),
    "a peach": ("peach", "1F351", "peach"),
    "a pear": ("pear", "1F350", "pear"),
    "a pineapple": ("pineapple", "1F34D", "pineapple"),
    "a strawberry": ("strawberry", "1F353", "strawberry"),
}
VOICES = ("en-us", "en-gb+f2", "en-us+m3", "en-gb-scotland+m7", "en-us+f4")
STYLES = ("fluent3d", "fluentflat", "noto", "twemoji")
# caption: how the names of GCompris' photographs begin
PLACES = {
    "a fish": "fishes/fish",
    "a monument": "monuments/",
    "a windmill": "renewable/windmill",
    "a hammer": "tools/hammer",
}
MOST = 14  # photographs under one of these captions


def fetch(cache: Path, names: Iterable[str]) -> None:
    """Downloads packages that the cache lacks and unpacks each into a folder of its name."""
    cache.mkdir(parents=True, exist_ok=True)
    for name in names:
        if (cache / name).is_dir():
            continue
        if not list(cache.glob(f"{name}_*.deb")):
            subprocess.run(["apt-get", "download", name], cwd=cache, check=True)
        new = cache / f".{name}"
        shutil.rmtree(new, ignore_errors=True)
        subprocess.run(["dpkg-deb", "-x", str(next(cache.glob(f"{name}_*.deb"))), str(new)], check=True)
        new.rename(cache / name)


def read_rcc(data: bytes) -> dict[str, bytes]:
    """The files in a Qt resource file (format versions 1 to 3), without a leading part that all GCompris files share.

    Big-endian: a header with offsets; a tree of nodes that are folders (children, first child) or files (an offset).
    Entries under zstd are left out.
    """
    magic, version, tree, start, names = struct.unpack_from(">4s4I", data)
    if magic != b"qres":
        raise ValueError("This is no Qt resource file.")
    size, found = 14 if version < 2 else 22, {}

    def walk(node: int, folder: str) -> None:
        place = tree + node * size
        label, flags = struct.unpack_from(">IH", data, place)
        if node:
            length = struct.unpack_from(">H", data, names + label)[0]
            text = data[names + label + 6 : names + label + 6 + 2 * length]
            folder = f"{folder}/{text.decode('utf-16-be')}"
        if flags & 2:
            count, first = struct.unpack_from(">II", data, place + 6)
            for child in range(first, first + count):
                walk(child, folder)
        elif not flags & 4:
            at = start + struct.unpack_from(">I", data, place + 10)[0]
            body = data[at + 4 : at + 4 + struct.unpack_from(">I", data, at)[0]]
            found[folder.rsplit("activities/", 1)[-1]] = zlib.decompress(body[4:]) if flags & 1 else body

    walk(0, "")
    return found


class Maker:
    """Writes one set: a folder for each caption."""

    def __init__(self, out: Path, cache: Path):
        self.out, self.cache, self.used = out, cache, set()
        shutil.rmtree(out, ignore_errors=True)
        self._resources: dict[str, dict[str, bytes]] = {}

    def resources(self, path: str) -> dict[str, bytes]:
        """The files of the one of GCompris' activities that the path begins with."""
        activity = path.split("/")[0]
        if activity not in self._resources:
            path = self.cache / "gcompris-qt-data/usr/share/gcompris-qt/rcc" / f"{activity}.rcc"
            self._resources[activity] = read_rcc(path.read_bytes())
        return self._resources[activity]

    def picture(self, caption: str, name: str, data: bytes | Image.Image) -> None:
        image = upright(Image.open(io.BytesIO(data)) if isinstance(data, bytes) else data)
        image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        (self.out / caption).mkdir(parents=True, exist_ok=True)
        image.save(self.out / caption / f"{name}.png")

    def sound(self, caption: str, name: str, data: bytes, most: int = 1) -> None:
        """Its loudest second, or up to ``most`` separate ones as name.cut1.wav, name.cut2.wav, ..."""
        waveform = decode_sound(data)
        (self.out / caption).mkdir(parents=True, exist_ok=True)
        parts = cut_pieces(waveform, most=most) if most > 1 else [loudest_part(waveform, CLIP_SAMPLES)]
        for number, part in enumerate(parts, start=1):
            peak = float(np.abs(part).max())
            path = self.out / caption / (f"{name}.cut{number}.wav" if len(parts) > 1 else f"{name}.wav")
            write_wav(path, part * (0.9 / peak) if peak else part, SOURCE_RATE)


def animals(maker: Maker) -> str:
    for caption, lines in by_caption(ANIMALS).items():
        for line in lines:
            source, _, path = line.rpartition(" ")
            name = Path(path).name
            if source:
                content = maker.resources(path)
                files = {suffix: content[path + suffix] for suffix in (".webp", ".ogg") if path + suffix in content}
                name = f"gc-{name}"
            else:
                found = [maker.cache / STAMPS / f"{path}{suffix}" for suffix in (".png", ".ogg")]
                files = {file.suffix: file.read_bytes() for file in found if file.exists()}
            for suffix, data in files.items():
                if suffix == ".ogg":
                    maker.sound(caption, name, data, most=2)
                else:
                    maker.picture(caption, name, data)
    return (
        "Photographs of animals, most cut out on white, and recordings of animals. A caption holds several species. "
        "Of a recording longer than a second, up to two separate seconds are kept, as NAME.cut1.wav and NAME.cut2.wav."
    )


def fruit(maker: Maker) -> str:
    root = os.environ.get("MMGAN_DATA")
    emoji = Path(root) / "emoji" if root else None
    if emoji is None or not emoji.is_dir():
        raise SystemExit(
            "Set MMGAN_DATA to the folder that holds emoji/: most of the drawings of fruit come from there."
        )
    for style in STYLES:
        with tarfile.open(emoji / f"{style}.tar") as tar:
            for caption, (word, code, _) in FRUIT.items():
                maker.picture(caption, f"{word}-{style}", tar.extractfile(f"{code}.webp").read())
    for caption, (word, _, stamp) in FRUIT.items():
        path = maker.cache / STAMPS / "food/fruit/cartoon" / f"{stamp}.png"
        maker.picture(caption, f"{word}-stamp", path.read_bytes())
        for voice in VOICES:
            maker.sound(caption, f"{word}-{voice}", speak(maker.cache, word, voice))
    return (
        "Five drawings of each fruit, in the four styles of $MMGAN_DATA/emoji (its README names their licences) and as "
        f"a stamp, and its name spoken by five voices of espeak-ng: {', '.join(VOICES)}."
    )


def speak(cache: Path, word: str, voice: str) -> bytes:
    """A WAV of the word, by the espeak-ng in the cache."""
    parts = [cache / name / "usr/lib" for name in ("libespeak-ng1", "libpcaudio0", "libsonic0")]
    libraries = [str(path) for part in parts for path in part.iterdir()]
    data = next((cache / "espeak-ng-data/usr/lib").glob("*"))
    command = [str(cache / "espeak-ng/usr/bin/espeak-ng"), f"--path={data}", "-v", voice, "--stdout", word]
    environment = os.environ | {"LD_LIBRARY_PATH": ":".join(libraries)}
    return subprocess.run(command, env=environment, check=True, capture_output=True).stdout


def percussion(maker: Maker) -> str:
    for caption, lines in by_caption(PERCUSSION).items():
        for path in lines:
            kit, _, name = path.rpartition("/")
            stem = f"{kit} {Path(name).stem}".strip()
            maker.sound(caption, stem, (maker.cache / (KITS if kit else SONIC_PI) / path).read_bytes())
    return "Single hits of different drums, cymbals and bells, each the loudest second, from many kits."


def places(maker: Maker) -> str:
    content = maker.resources("categorization")
    for caption, start in PLACES.items():
        names = sorted(n for n in content if f"/images/{start}" in n and n.endswith(".webp"))
        for name in names[:: max(1, len(names) // MOST)][:MOST]:
            maker.picture(caption, Path(name).stem, content[name])
    return "Photographs with their backgrounds, as people take them, and no sounds."


SETS: dict[str, tuple[Callable[[Maker], str], tuple[str, ...]]] = {
    "animals": (animals, ("tuxpaint-stamps-default", "gcompris-qt-data")),
    "fruit": (
        fruit,
        ("tuxpaint-stamps-default", "espeak-ng", "espeak-ng-data", "libespeak-ng1", "libpcaudio0", "libsonic0"),
    ),
    "percussion": (percussion, ("hydrogen-drumkits", "sonic-pi-samples")),
    "places": (places, ("gcompris-qt-data",)),
}


def show(name: str, folder: Path) -> tuple[Folder, str]:
    """The set as a dataset, and a line that counts it; writes its contact sheet beside it."""
    data = Folder(folder, "all")
    loader = Loader(data, with_values(ModelConfig(), {"image.size": 64, "image.channels": 3}))
    count = max(data.num_images, data.num_sounds)
    images = loader.rows("image", range(data.num_images))
    blank = images.new_ones(count - len(images), 3, 64, 64)
    mels = loader.rows("audio", range(data.num_sounds))
    silent = loader.blank("audio", count - len(mels))
    captions = [
        (data.image_concept(i) if i < data.num_images else "")
        + (f" / {data.sound_concept(i)}" if i < data.num_sounds else "")
        for i in range(count)
    ]
    sample_sheet(
        list(_pil(images, blank)),
        np.concatenate([mels.numpy(), silent.numpy()]),
        captions,
        folder.parent / f"{name}.png",
        12,
    )
    return data, f"{len(data.concepts)} captions, {data.num_images} pictures, {data.num_sounds} sounds"


def _pil(*parts):
    for part in parts:
        for image in part:
            yield Image.fromarray(((image + 1) * 127.5).byte().permute(1, 2, 0).numpy())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder for the sets; a set of the same name there is made anew")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--cache", type=Path, help="folder for the packages (default: OUT/.packages)")
    options = parser.parse_args()
    cache = options.cache or options.out / ".packages"
    for name in options.sets:
        make, packages = SETS[name]
        fetch(cache, packages)
        folder = options.out / name
        how = make(Maker(folder, cache))
        _, counted = show(name, folder)
        lines = [f"# {name}", "", how, "", f"{counted[0].upper()}{counted[1:]}.", "", "| Debian package | licence |"]
        lines += ["| --- | --- |", *(f"| {package} | {PACKAGES[package]} |" for package in packages)]
        (options.out / f"{name}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
        print(f"{name}: {counted}; see {options.out / name}.md and .png")


if __name__ == "__main__":
    main()
