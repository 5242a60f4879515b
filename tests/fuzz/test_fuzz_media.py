"""Spoiled pictures, sounds, films and zips: each ends in something used or in a sentence, and costs no other file."""

import io
import random
import zipfile

import numpy as np
import pytest
from own_files import encoded, pcm, tone
from PIL import Image

from mmgan.data.folder.archive import ZipFiles
from mmgan.data.folder.names import disk_name, guess, safe_name
from mmgan.data.limits import Limits
from mmgan.data.media.preview import decode_picture, examine_picture, examine_sound
from mmgan.errors import MmganError
from mmgan.projects.projects import Projects
from tests.fuzz.mutate import spoil_bytes

LIMITS = Limits(pixels=4_000_000, seconds=20, samples=2_000_000, free_bytes=0)
PICTURES = [("PNG", {}), ("JPEG", {}), ("WEBP", {}), ("GIF", {}), ("BMP", {}), ("MPO", {"save_all": True})]
SOUNDS = [("WAV", "PCM_16"), ("WAV", "FLOAT"), ("WAV", "IMA_ADPCM"), ("FLAC", None), ("OGG", "VORBIS"),
          ("OGG", "OPUS"), ("MP3", None), ("AIFF", None), ("AU", None), ("CAF", None), ("W64", None),
          ("RF64", None)]  # fmt: skip
FILMS = ["m4a", "alac.m4a", "3gp", "amr.3gp", "amr", "webm", "mka", "wma", "aac", "alac.caf", "mov"]


def sentence(error: MmganError) -> str:
    text = str(error)
    assert text.endswith(".") and "\n" not in text and "Error" not in text and "Traceback" not in text, text
    text.encode("utf-8")
    return "sentence"


def examined(examine, data: bytes) -> str:
    try:
        examine(data, LIMITS)
    except MmganError as error:
        return sentence(error)
    return "result"


def pictures() -> list[bytes]:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8))
    made = []
    for kind, options in PICTURES:
        buffer = io.BytesIO()
        more = {"append_images": [noise]} if options else {}
        noise.save(buffer, kind, **options, **more)
        made.append(buffer.getvalue())
    for mode in ("P", "LA", "I;16", "1", "CMYK"):
        buffer = io.BytesIO()
        image = Image.fromarray(np.arange(2_000, dtype=np.uint16).reshape(40, 50)) if mode == "I;16" else noise
        (image if mode == "I;16" else noise.convert(mode)).save(buffer, "JPEG" if mode == "CMYK" else "PNG")
        made.append(buffer.getvalue())
    return made


def test_pictures(count, tally):
    made = pictures()
    for seed in range(count * len(made)):
        data = spoil_bytes(made[seed % len(made)], seed)
        tally[examined(examine_picture, data)] += 1
        tally[examined(decode_picture, data)] += 1


def test_sounds_that_libsndfile_reads(count, tally, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)  # PyAV has a test of its own, and takes longer
    made = [pcm(tone(16_000, 0.3), 16_000, kind, subtype) for kind, subtype in SOUNDS]
    for seed in range(count * len(made) // 2):
        tally[examined(examine_sound, spoil_bytes(made[seed % len(made)], seed))] += 1


def test_sounds_and_films_that_pyav_reads(count, tally):
    """A process each, so fewer of them; that none of them crashes this one is the point."""
    made = [encoded(kind, picture=kind == "mov") for kind in FILMS]
    for seed in range(max(len(made), count // 3)):
        tally[examined(examine_sound, spoil_bytes(made[seed % len(made)], seed))] += 1


def test_samples(count, tally):
    """Whole numbers, infinities, offsets and noise in floats: what is used is finite and within -1..1."""
    for seed in range(count):
        draw = np.random.default_rng(seed)
        channels = int(draw.integers(1, 4))
        samples = draw.normal(0, 10.0 ** draw.uniform(-12, 38), (2_000, channels)) + draw.choice((0, 0.4, -3, 1e30))
        for value in (np.nan, np.inf, -np.inf, 1e-40, 3e38):
            samples[draw.random(samples.shape) < draw.choice((0, 1e-3, 0.3))] = value
        with np.errstate(over="ignore"):
            data = pcm(samples.astype(np.float32), 16_000, "WAV", "FLOAT")
        try:
            sound, waveform = examine_sound(data, LIMITS)
        except MmganError as error:
            tally[sentence(error)] += 1
            continue
        assert np.isfinite(waveform).all() and np.abs(waveform).max(initial=0) <= 1 and 0 <= sound.peak <= 1
        tally["result"] += 1


def zips() -> list[bytes]:
    picture = pictures()[0]
    made = []
    for names in (["a.png", "b/é.png"], ["dog/1.png", "dog/1.wav", "metadata.csv"], ["x" * 200 + ".png"]):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                archive.writestr(name, b"text,file_name\na,dog/1.png\n" if name.endswith("csv") else picture)
        made.append(buffer.getvalue())
    return made


def test_zips(count, tally, tmp_path):
    made, path = zips(), tmp_path / "z.zip"
    for seed in range(count * len(made)):
        path.write_bytes(spoil_bytes(made[seed % len(made)], seed))
        try:
            files = ZipFiles(path, LIMITS)
            for name in files.names:
                name.encode("utf-8")
                try:
                    files.read(name)
                except MmganError as error:
                    sentence(error)
            tally["result"] += 1
        except MmganError as error:
            tally[sentence(error)] += 1


@pytest.mark.parametrize("windows", [False, True])
def test_names(count, tally, windows):
    for seed in range(count * 10):
        draw = random.Random(seed)
        raw = draw.randbytes(draw.choice((1, 3, 8, 40)))
        name = guess([raw])[0]
        try:
            shown = safe_name(name)
        except MmganError as error:
            tally[sentence(error)] += 1
            continue
        kept = disk_name(shown, windows)
        assert kept and ".." not in kept.split("/") and not kept.startswith("/") and "\0" not in kept
        assert all(char.isprintable() or ord(char) > 127 for char in shown)
        tally["result"] += 1


def test_a_project_takes_what_is_good_among_what_is_spoiled(count, tally, tmp_path):
    """The whole road: a zip and loose files, of which one is good, into a project."""
    project = Projects(tmp_path / "projects", LIMITS).create("Mine")
    made = [*pictures()[:4], pcm(tone(16_000, 0.3)), pcm(tone(16_000, 0.3), kind="FLAC")]
    contents = {"good.png": made[0]}
    for seed in range(count // 2):
        suffix = ".png" if seed % len(made) < 4 else ".wav"
        contents[f"{seed}{suffix}"] = spoil_bytes(made[seed % len(made)], seed)
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    project.add([tmp_path / "z.zip"], "thing")
    items = {item.name: item for item in project.items()}
    assert set(items) == set(contents) and items["good.png"].used
    for item in items.values():
        assert not item.problem or (item.problem.endswith(".") and "\n" not in item.problem)
        tally["result" if item.used else "sentence"] += 1
