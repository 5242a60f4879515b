"""Gathers what the vocoder learns from and is measured on: 16 kHz mono clips of six kinds, packed into two files.

    python scripts/vocoder/data.py FOLDER [--minutes 30]

Writes FOLDER/train.npz, FOLDER/test.npz (int16 ``<kind>`` [samples], int64 ``<kind>_ends`` [clips]) and about.json.

====== ======================================================== ===================================================
kind   what                                                     held out
====== ======================================================== ===================================================
digits Free Spoken Digit Dataset at the common loudness         its test files (takes 0-4)
sounds ESC-10: rain, dogs, clocks, ...                          its test split, by clip
flite  four voices of Debian's flite, sentences and names       texts by the rule below
espeak voices of espeak-ng, English and Chinese                 texts by the rule, and the whole voice HELD_OUT_VOICE
people Tux Paint's stamps: descriptions in ten languages,       stamps by the rule, in all their languages, and every
       effects (Debian's tuxpaint-stamps-default)               recording in HELD_OUT_LANGUAGE
tones  drawn here: chords, glides, beats, filtered noise,       seeds of their own
       clicks, and the shapes dataset's sounds
====== ======================================================== ===================================================

The rule: a text or a stamp is held out where sha256 of it begins with a byte below 13 (5 %). Needs Debian's packages
``flite``, ``espeak-ng``, ``wordnet-base`` and ``tuxpaint-stamps-default``, and $MMGAN_DATA; nothing is downloaded.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import math
import os
import random
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from mmgan.audio.waveform import normalise_loudness
from mmgan.data import load_dataset
from mmgan.data.media.sounds import hear
from mmgan.data.shapes.render import BACKGROUNDS, COLOURS, SHAPES, SIZES, Combination, synthesise

RATE = 16_000
DATA = Path(os.environ.get("MMGAN_DATA", "data"))
KINDS = ("digits", "sounds", "flite", "espeak", "people", "tones")
FLITE_VOICES = ("slt", "rms", "awb", "kal16")
ESPEAK_VOICES = ("en-us", "en-us+f2", "en-gb", "en-us+f4", "en-us+m7")
HELD_OUT_VOICE = "en+m3"  # of espeak-ng
HELD_OUT_LANGUAGE = "da"  # of Tux Paint's descriptions: voices that training never hears
GLOSSES = Path("/usr/share/wordnet/data.noun")
STAMPS = Path("/usr/share/tuxpaint/stamps")
LONGEST = 6.0  # seconds of a clip that are kept


def held_out(key: str) -> bool:
    return hashlib.sha256(key.encode()).digest()[0] < 13


def texts() -> tuple[list[str], list[str], list[str]]:
    """Sentences (WordNet's glosses), English names and Chinese names of the emoji concepts, each in a fixed order."""
    glosses = re.findall(r"\| ([a-z][^;\"\n]{20,90})(?=[;\n])", GLOSSES.read_text(encoding="latin-1"))
    random.Random(0).shuffle(glosses)
    with open(DATA / "emoji" / "concepts.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    random.Random(1).shuffle(rows)
    return glosses, [row["name_en"] for row in rows], [row["name_zh"] for row in rows]


def spoken(command: list[str], wav: Path) -> np.ndarray:
    """Runs a synthesiser that writes ``wav`` -> float32 [n] at the common loudness."""
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return normalise_loudness(hear(wav.read_bytes()).waveform()[: int(LONGEST * RATE)])


def flite(split: str, minutes: float, scratch: Path) -> Iterator[np.ndarray]:
    sentences, names, _ = texts()
    wav = scratch / "flite.wav"
    for number, voice in enumerate(FLITE_VOICES):
        # Each voice reads other texts; one in four is a name.
        mixed = [names[i // 4 % len(names)] if i % 4 == 0 else sentences[i] for i in range(number * 4_000, 40_000)]
        yield from until(
            minutes / len(FLITE_VOICES),
            (
                spoken(["flite", "-voice", voice, "-t", text, "-o", str(wav)], wav)
                for text in mixed
                if held_out(text) == (split == "test")
            ),
        )


def espeak(split: str, minutes: float, scratch: Path) -> Iterator[np.ndarray]:
    sentences, names, chinese = texts()
    wav = scratch / "espeak.wav"
    voices = (*ESPEAK_VOICES, "cmn", *((HELD_OUT_VOICE,) if split == "test" else ()))
    for number, voice in enumerate(voices):
        start = 20_000 + number * 4_000
        mixed = [names[i // 2 % len(names)] if i % 2 == 0 else sentences[i] for i in range(start, start + 8_000)]
        mixed = chinese * 3 if voice == "cmn" else mixed
        yield from until(
            minutes / len(voices),
            (
                spoken(["espeak-ng", "-v", voice, "-s", str(140 + 10 * (i % 6)), "-w", str(wav), "--", text], wav)
                for i, text in enumerate(mixed)
                if held_out(text) == (split == "test")
            ),
        )


def people(split: str, minutes: float, scratch: Path) -> Iterator[np.ndarray]:
    files = sorted(STAMPS.rglob("*.ogg"))
    random.Random(2).shuffle(files)
    # Sound effects (no _desc) are few and unlike all else: all of them first.
    files.sort(key=lambda path: "_desc" in path.stem)

    def wanted() -> Iterator[np.ndarray]:
        for path in files:
            stamp = re.sub(r"(_desc)?(_[a-z]{2,3}(_[A-Z]{2})?)?$", "", str(path.relative_to(STAMPS).with_suffix("")))
            unseen = held_out(stamp) or path.stem.endswith(f"_desc_{HELD_OUT_LANGUAGE}")
            if unseen == (split == "test"):
                yield normalise_loudness(hear(path.read_bytes()).waveform()[: int(LONGEST * RATE)])

    yield from until(minutes, wanted())


def digits(split: str, minutes: float, scratch: Path) -> Iterator[np.ndarray]:
    data = load_dataset("digits", split)
    order = np.random.default_rng(3).permutation(data.num_sounds)
    yield from until(minutes, (data.sound(int(i)) for i in order))


def sounds(split: str, minutes: float, scratch: Path) -> Iterator[np.ndarray]:
    with np.load(DATA / "sounds" / "esc10.npz") as file:
        audio, splits, valid = file["audio"], file["split"], file["n_valid"]
    order = np.random.default_rng(4).permutation(np.flatnonzero(splits == split))
    yield from until(minutes, (audio[i, : valid[i]].astype(np.float32) / 32768 for i in order))


def tones(split: str, minutes: float, scratch: Path) -> Iterator[np.ndarray]:
    rng = np.random.default_rng([5, int(split == "test")])
    combinations = [
        Combination(size, colour, shape, ground)
        for size in SIZES for colour in COLOURS for shape in SHAPES for ground in BACKGROUNDS if ground != colour
    ]  # fmt: skip

    def endless() -> Iterator[np.ndarray]:
        while True:
            yield synthesise(combinations[rng.integers(len(combinations))], rng)
            yield drawn_tone(rng)
            yield drawn_noise(rng)

    yield from until(minutes, endless())


def drawn_tone(rng: np.random.Generator) -> np.ndarray:
    """A chord of one to three harmonic tones that glide, tremble and beat, float32 [n]."""
    seconds = rng.uniform(0.8, 2.0)
    time = np.arange(int(seconds * RATE)) / RATE
    wave = np.zeros_like(time)
    for _ in range(rng.integers(1, 4)):
        pitch = 55.0 * 2 ** rng.uniform(0, 5)
        glide = 2 ** (rng.choice([0.0, 0.0, 0.2, 1.0]) * rng.normal() * time / seconds)
        vibrato = 1 + rng.choice([0.0, 0.02]) * np.sin(math.tau * rng.uniform(3, 8) * time)
        turns = np.cumsum(pitch * glide * vibrato) / RATE
        count = int(np.clip(7_500 / (pitch * glide.max() * 1.02), 1, rng.integers(1, 17)))
        slope = rng.uniform(0.3, 2.0)
        for n in range(1, count + 1):
            wave += n**-slope * np.sin(math.tau * (n * turns + rng.random())) * rng.uniform(0.3, 1)
    attack, fall = rng.uniform(0.005, 0.2), rng.choice([0.1, 0.4, 10.0])
    wave *= np.minimum(time / attack, 1) * np.exp(-np.maximum(time - attack, 0) / fall)
    return normalise_loudness(wave, peak=0.9 * 10 ** (-rng.uniform(0, 20) / 20))


def drawn_noise(rng: np.random.Generator) -> np.ndarray:
    """Noise of a random colour or band in gusts, or a train of clicks, float32 [n]."""
    count = int(rng.uniform(0.8, 2.0) * RATE)
    time = np.arange(count) / RATE
    if rng.random() < 0.3:
        wave = np.zeros(count)
        wave[rng.integers(0, count, rng.integers(1, 40))] = rng.uniform(0.1, 1)
        ring = np.exp(-np.arange(800) / rng.uniform(2, 200)) * np.sin(np.arange(800) * rng.uniform(0.05, 2.5) + 1)
        wave = np.convolve(wave, ring)[:count]
    else:
        frequency = np.fft.rfftfreq(count, 1 / RATE)
        low, high = sorted(50 * 2 ** rng.uniform(0, 7.3, 2))
        shape = (frequency + 50) ** -rng.uniform(0, 1.2)
        if rng.random() < 0.5:
            shape = shape * (frequency > low) * (frequency < high + 200)
        wave = np.fft.irfft(np.fft.rfft(rng.normal(size=count)) * shape, n=count)
        wave *= 1 + rng.uniform(0, 1) * np.sin(math.tau * rng.uniform(0.5, 12) * time + rng.uniform(0, 6))
    return normalise_loudness(wave, peak=0.9 * 10 ** (-rng.uniform(0, 25) / 20))


def until(minutes: float, clips: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Clips for ``minutes`` in all, or as many as there are; what is shorter than 0.1 s or silent is left out."""
    left = minutes * 60 * RATE
    for clip in clips:
        if left <= 0:
            return
        if len(clip) >= RATE // 10 and np.abs(clip).max() > 1e-3:
            left -= len(clip)
            yield clip


MAKERS = {"digits": digits, "sounds": sounds, "flite": flite, "espeak": espeak, "people": people, "tones": tones}


def pack(split: str, minutes: float, scratch: Path) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """The arrays of one file, and the minutes of each kind."""
    arrays, lengths = {}, {}
    for kind in KINDS:
        clips = [
            (np.clip(clip, -1, 1) * 32767).round().astype(np.int16)
            for clip in tqdm(MAKERS[kind](split, minutes, scratch), f"{split} {kind}", mininterval=5)
        ]
        arrays[kind] = np.concatenate(clips)
        arrays[f"{kind}_ends"] = np.cumsum([len(clip) for clip in clips])
        lengths[kind] = round(len(arrays[kind]) / RATE / 60, 2)
    return arrays, lengths


def load(path: Path) -> dict[str, list[np.ndarray]]:
    """A packed file -> the clips of each kind, int16 [n] each."""
    with np.load(path) as file:
        return {kind: np.split(file[kind], file[f"{kind}_ends"][:-1]) for kind in KINDS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=30.0, help="of each kind at most, for training")
    parser.add_argument("--test-minutes", type=float, default=4.0, help="of each kind at most, held out")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    about = {}
    for split, minutes in (("test", arguments.test_minutes), ("train", arguments.minutes)):
        arrays, about[split] = pack(split, minutes, arguments.folder)
        np.savez(arguments.folder / f"{split}.npz", **arrays)
    (arguments.folder / "about.json").write_text(json.dumps({"minutes": about}, indent=2) + "\n")
    print(json.dumps(about))


if __name__ == "__main__":
    main()
